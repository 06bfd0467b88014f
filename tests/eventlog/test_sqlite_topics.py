"""Topics come, go and come back with another epoch; what a buried one knew stays."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from odin_ws.catalogue import Topic
from odin_ws.eventlog import sqlite_topics
from odin_ws.eventlog.base import TopicMismatch
from odin_ws.eventlog.sqlite_schema import lay_out, read_state


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    lay_out(db)
    yield db
    db.close()


def topic(partitions: int = 2, retention_seconds: float = 60) -> Topic:
    return Topic("t", "{key}.t", retention_seconds, partitions)


def test_the_version_moves_only_when_something_changed(db: sqlite3.Connection) -> None:
    versions = [read_state(db).topics_version]
    steps: tuple[Callable[[], object], ...] = (
        lambda: sqlite_topics.create(db, [topic()]),
        lambda: sqlite_topics.create(db, [topic()]),
        lambda: sqlite_topics.create(db, [topic(retention_seconds=61)]),
        lambda: sqlite_topics.bury(db, ["other"]),
        lambda: sqlite_topics.bury(db, ["t"]),
    )
    for step in steps:
        step()
        versions.append(read_state(db).topics_version)
    assert [after - before for before, after in pairwise(versions)] == [1, 0, 1, 0, 1]


def test_partitions_of_a_name_are_never_those_of_its_predecessor(db: sqlite3.Connection) -> None:
    sqlite_topics.create(db, [topic()])
    before = sqlite_topics.load(db)["t"]
    sqlite_topics.bury(db, ["t"])
    assert sqlite_topics.load(db) == {}
    sqlite_topics.create(db, [topic()])
    after = sqlite_topics.load(db)["t"]
    assert not set(before.partition_ids) & set(after.partition_ids)
    assert before.epoch != after.epoch


def test_a_buried_topic_still_knows_where_it_ended(db: sqlite3.Connection) -> None:
    sqlite_topics.create(db, [topic()])
    row = sqlite_topics.load(db)["t"]
    db.execute("UPDATE partitions SET next_offset = 9 WHERE id = ?", (row.partition_ids[1],))
    sqlite_topics.bury(db, ["t"])
    assert sqlite_topics.end_of_epoch(db, row.epoch, 1) == 9
    assert sqlite_topics.end_of_epoch(db, row.epoch, 2) is None
    assert sqlite_topics.end_of_epoch(db, "unknown", 0) is None


def test_a_mismatch_says_what_is_there_and_what_to_do(db: sqlite3.Connection) -> None:
    sqlite_topics.create(db, [topic(partitions=2)])
    with pytest.raises(TopicMismatch, match="'t' has 2 partitions, and 5 are asked for") as raised:
        sqlite_topics.create(db, [topic(partitions=5)])
    assert "partitions = 2" in raised.value.remedy


def test_retention_of_less_than_a_millisecond_is_not_forever(db: sqlite3.Connection) -> None:
    sqlite_topics.create(db, [topic(retention_seconds=0.0001)])
    assert sqlite_topics.load(db)["t"].retention_ms == 1
