"""The topics of the embedded log: create, bury, look up. Statements over one open transaction.

A topic's name can come back after its deletion, its epoch never does. Buried topics keep their rows,
with the offset each partition ended at, for followers that had not read to the end.
"""

import secrets
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from odin_ws.catalogue import Topic
from odin_ws.errors import ExitCode
from odin_ws.eventlog.base import PartitionState, TopicMismatch, TopicState


class TopicRow(NamedTuple):
    """A living topic; `partition_ids` by partition number."""

    topic_id: int
    epoch: str
    retention_ms: int
    partition_ids: tuple[int, ...]


def create(db: sqlite3.Connection, topics: Iterable[Topic]) -> list[str]:
    """Create what is missing, set the retention of the rest; the names created. Raises TopicMismatch."""
    created = []
    for topic in topics:
        row = load(db).get(topic.name)
        if row is None:
            _insert(db, topic)
            created.append(topic.name)
        else:
            _adapt(db, row, topic)
    return created


def bury(db: sqlite3.Connection, names: Iterable[str]) -> list[str]:
    """Mark living topics as deleted; their records are left for retention. The names that were there."""
    statement = "UPDATE topics SET deleted = 1 WHERE name = ? AND NOT deleted"
    buried = [name for name in names if db.execute(statement, (name,)).rowcount]
    if buried:
        _tell_others(db)
    return buried


def load(db: sqlite3.Connection) -> dict[str, TopicRow]:
    """Living topics by name."""
    rows = db.execute(
        "SELECT t.name, t.id, t.epoch, t.retention_ms, p.id FROM topics t JOIN partitions p"
        " ON p.topic_id = t.id WHERE NOT t.deleted ORDER BY t.name, p.number"
    )
    topics: dict[str, TopicRow] = {}
    for name, topic_id, epoch, retention_ms, partition_id in rows:
        known = topics.get(name)
        ids = (*known.partition_ids, partition_id) if known else (partition_id,)
        topics[name] = TopicRow(topic_id, epoch, retention_ms, ids)
    return topics


def describe(db: sqlite3.Connection) -> dict[str, TopicState]:
    """Living topics with the offsets of their partitions."""
    heads = {row[0]: PartitionState(*row[1:]) for row in _heads(db)}
    return {
        name: TopicState(name, row.epoch, row.retention_ms / 1000, tuple(heads[i] for i in row.partition_ids))
        for name, row in load(db).items()
    }


def earliest_offsets(db: sqlite3.Connection) -> dict[int, int]:
    """First retained offset by partition id."""
    return {partition_id: earliest for partition_id, earliest, _ in _heads(db)}


def end_of_epoch(db: sqlite3.Connection, epoch: str, number: int) -> int | None:
    """The offset at which a partition of a topic, buried or not, ends; None when nobody knows."""
    row = db.execute(
        "SELECT p.next_offset FROM topics t JOIN partitions p ON p.topic_id = t.id"
        " WHERE t.epoch = ? AND p.number = ?",
        (epoch, number),
    ).fetchone()
    return None if row is None else int(row[0])


def _heads(db: sqlite3.Connection) -> list[tuple[int, int, int]]:
    return db.execute("SELECT id, earliest, next_offset FROM partitions").fetchall()


def _insert(db: sqlite3.Connection, topic: Topic) -> None:
    cursor = db.execute(
        "INSERT INTO topics (name, epoch, retention_ms) VALUES (?, ?, ?)",
        (topic.name, secrets.token_hex(4), _retention_ms(topic)),
    )
    db.executemany(
        "INSERT INTO partitions (topic_id, number) VALUES (?, ?)",
        [(cursor.lastrowid, number) for number in range(topic.partitions)],
    )
    _tell_others(db)


def _adapt(db: sqlite3.Connection, row: TopicRow, topic: Topic) -> None:
    found = len(row.partition_ids)
    if found != topic.partitions:
        raise TopicMismatch(
            f"topic {topic.name!r} has {found} partitions, and {topic.partitions} are asked for",
            remedy=f"set partitions = {found} in odin.toml, "
            "or delete the log with its data: ./task local:restart:redpanda",
            exit_code=ExitCode.USAGE,
        )
    if row.retention_ms != _retention_ms(topic):
        db.execute("UPDATE topics SET retention_ms = ? WHERE id = ?", (_retention_ms(topic), row.topic_id))
        _tell_others(db)


def _retention_ms(topic: Topic) -> int:
    return max(1, round(topic.retention_seconds * 1000))


def _tell_others(db: sqlite3.Connection) -> None:
    db.execute("UPDATE state SET topics_version = topics_version + 1")
