"""The embedded event log: the port on one SQLite file, for several writer and reader processes.

Records stand in one table in the order of commits (by id), with an index by partition and offset. This
file appends and reads; followers, retention, topics and the file itself have rooms of their own
(sqlite_*.py). What it caches is checked inside each transaction against the state row.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from sqlite3 import Connection

from odin_ws.catalogue import Topic
from odin_ws.eventlog import sqlite_retention, sqlite_topics
from odin_ws.eventlog.base import Appended, Draft, Record, TopicPartition, TopicState, UnknownTopic
from odin_ws.eventlog.partitioner import KeylessTurn, partition_of
from odin_ws.eventlog.sqlite_file import LogFile
from odin_ws.eventlog.sqlite_follower import SqliteFollower, check_partition
from odin_ws.eventlog.sqlite_schema import read_state
from odin_ws.settings import LogSettings

_INSERT = (
    "INSERT INTO records (id, partition_id, offset, timestamp_ms, stored_ms, key, value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)

_Row = tuple[int, int, int, int, int, bytes | None, bytes]


class SqliteLog:
    """The `EventLog` on a SQLite file.

    Args:
        path: the file.
        settings: poll interval, busy timeout, fsync.
        create: whether to make the file when it is not there.

    Raises:
        LogUnavailable, LogFull: as `LogFile`.
    """

    title = "embedded log (SQLite)"

    def __init__(self, path: Path, settings: LogSettings, *, create: bool = True) -> None:
        self._path = path
        self._settings = settings
        self._file = LogFile(path, settings, create=create)
        self._writer = _Writer(self._file)

    def ping(self) -> None:
        """See `EventLog.ping`: commits a write of one row."""
        with self._file.writing() as db:
            db.execute("UPDATE state SET pinged_ms = ?", (_now_ms(),))

    def create_topics(self, topics: Iterable[Topic]) -> list[str]:
        """See `EventLog.create_topics`."""
        with self._file.writing() as db:
            return sqlite_topics.create(db, topics)

    def delete_topics(self, names: Iterable[str]) -> list[str]:
        """See `EventLog.delete_topics`: the names go at once, the records in small steps after that."""
        with self._file.writing() as db:
            buried = sqlite_topics.bury(db, names)
        if buried:
            self.enforce_retention()
        return buried

    def describe(self) -> dict[str, TopicState]:
        """See `EventLog.describe`."""
        with self._file.reading() as (db, _):
            return sqlite_topics.describe(db)

    def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        """See `EventLog.append`: one transaction."""
        return self._writer.append(drafts) if drafts else []

    def follow(self, starts: Mapping[TopicPartition, int]) -> SqliteFollower:
        """See `EventLog.follow`. Raises UnknownTopic, TopicMismatch for a partition that is not there."""
        return SqliteFollower(self._path, self._settings, starts)

    def read(self, topic: str, partition: int, start: int, max_records: int) -> list[Record]:
        """See `EventLog.read`. Raises UnknownTopic, TopicMismatch."""
        with self._file.reading() as (db, _):
            partition_id = _partition_id(db, topic, partition)
            rows = db.execute(
                "SELECT offset, timestamp_ms, key, value FROM records"
                " WHERE partition_id = ? AND offset >= ? ORDER BY offset LIMIT ?",
                (partition_id, start, max(0, max_records)),
            ).fetchall()
        return [Record(topic, partition, *row) for row in rows]

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """See `EventLog.offset_at`. Raises UnknownTopic, TopicMismatch."""
        with self._file.reading() as (db, _):
            partition_id = _partition_id(db, topic, partition)
            row = db.execute(
                "SELECT offset FROM records WHERE partition_id = ? AND timestamp_ms >= ?"
                " ORDER BY offset LIMIT 1",
                (partition_id, timestamp_ms),
            ).fetchone()
            if row is None:
                row = db.execute(
                    "SELECT next_offset FROM partitions WHERE id = ?", (partition_id,)
                ).fetchone()
        return int(row[0])

    def enforce_retention(self) -> int:
        """See `EventLog.enforce_retention`."""
        return sum(self.expiring())

    def expiring(self) -> Iterator[int]:
        """Enforce retention in small steps; yields the number of records removed after each."""
        return sqlite_retention.remove_expired(self._file, _now_ms())

    def checkpoint(self) -> None:
        """Keep the write-ahead log short; see `LogFile.checkpoint`."""
        self._file.checkpoint()

    def close(self) -> None:
        """See `EventLog.close`. Followers are closed by who has them."""
        self._file.close()


class _Writer:
    """Appends, with the topics and the heads of partitions in memory.

    They hold as long as the file and the topics' version are the same and the next id is the one this writer
    left behind: every append moves it, so another writer's append shows.
    """

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._turn = KeylessTurn()
        self._topics: dict[str, sqlite_topics.TopicRow] = {}
        self._topics_mark = (0, 0)
        self._heads: dict[int, int] = {}
        self._heads_mark = (0, 0, 0)

    def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        with self._file.writing() as db:
            first_id = self._refresh(db)
            rows, places, touched = self._place(db, drafts, first_id)
            db.executemany(_INSERT, rows)
            db.executemany(
                "UPDATE partitions SET next_offset = ? WHERE id = ?", [(self._heads[i], i) for i in touched]
            )
            db.execute("UPDATE state SET next_id = ?", (first_id + len(rows),))
        self._heads_mark = (*self._topics_mark, first_id + len(rows))
        return places

    def _refresh(self, db: Connection) -> int:
        state = read_state(db)
        topics_mark = (self._file.generation, state.topics_version)
        if topics_mark != self._topics_mark:
            self._topics = sqlite_topics.load(db)
            self._topics_mark = topics_mark
        if (*topics_mark, state.next_id) != self._heads_mark:
            self._heads.clear()
        # Until this append has committed the heads are ahead of the file.
        self._heads_mark = (0, 0, 0)
        return state.next_id

    def _place(
        self, db: Connection, drafts: Sequence[Draft], first_id: int
    ) -> tuple[list[_Row], list[Appended], set[int]]:
        now_ms = _now_ms()
        rows: list[_Row] = []
        places: list[Appended] = []
        touched: set[int] = set()
        keyless: dict[str, int] = {}
        for record_id, (topic, key, value, timestamp_ms) in enumerate(drafts, first_id):
            known = self._topics.get(topic)
            if known is None:
                raise UnknownTopic(topic, self._topics)
            ids = known.partition_ids
            if key is not None:
                number = partition_of(key, len(ids))
            elif topic in keyless:
                number = keyless[topic]
            else:
                number = keyless[topic] = self._turn.next(topic, len(ids))
            partition_id = ids[number]
            offset = self._heads.get(partition_id)
            if offset is None:
                offset = _head(db, partition_id)
            self._heads[partition_id] = offset + 1
            touched.add(partition_id)
            stamp_ms = now_ms if timestamp_ms is None else timestamp_ms
            rows.append((record_id, partition_id, offset, stamp_ms, now_ms, key, value))
            places.append(Appended(topic, number, offset))
        return rows, places, touched


def _head(db: Connection, partition_id: int) -> int:
    row = db.execute("SELECT next_offset FROM partitions WHERE id = ?", (partition_id,)).fetchone()
    return int(row[0])


def _partition_id(db: Connection, topic: str, partition: int) -> int:
    topics = sqlite_topics.load(db)
    row = topics.get(topic)
    if row is None:
        raise UnknownTopic(topic, topics)
    check_partition(topic, partition, len(row.partition_ids))
    return row.partition_ids[partition]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
