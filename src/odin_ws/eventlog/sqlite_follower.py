"""A follower of the embedded log: waits for commits of any process, and reads what they brought.

Ids of records grow in the order of commits, so one cursor over ids follows all partitions: it polls
`PRAGMA data_version`, and on a change reads `id > cursor` in a short transaction. What retention removed
before it was read, and topics that were deleted and created again, become losses.
"""

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from odin_ws.errors import ExitCode
from odin_ws.eventlog import sqlite_topics
from odin_ws.eventlog.base import Batch, Loss, Record, TopicMismatch, TopicPartition, TopicState, UnknownTopic
from odin_ws.eventlog.sqlite_file import LogFile
from odin_ws.eventlog.sqlite_schema import State
from odin_ws.settings import LogSettings

#: One poll ends early beyond these: bytes of values returned, and records looked at and not wanted.
POLL_BYTES = 32 << 20
POLL_SCANNED = 20_000


class _Place:
    """Where the follower stands in one partition; `partition_id` is None while the topic is deleted."""

    __slots__ = ("epoch", "next", "number", "partition_id", "topic")

    def __init__(self, topic: str, number: int, start: int) -> None:
        self.topic = topic
        self.number = number
        self.next = start
        self.epoch = ""
        self.partition_id: int | None = None


class SqliteFollower:
    """The `Follower` of the embedded log, with a connection of its own."""

    def __init__(self, path: Path, settings: LogSettings, starts: Mapping[TopicPartition, int]) -> None:
        self._poll_seconds = settings.poll_ms / 1000
        self._places = [_Place(topic, number, max(0, start)) for (topic, number), start in starts.items()]
        self._by_id: dict[int, _Place] = {}
        self._cursor = 0
        self._losses: list[Loss] = []
        self._behind = True
        self._data_version = 0
        self._generation = 0
        self._topics_version = 0
        self._file = LogFile(path, settings, create=False)
        try:
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def poll(self, timeout_seconds: float, max_records: int = 2000) -> Batch:
        """See `Follower.poll`."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            if self._something_new():
                batch = self._take(max_records)
                if batch.records or batch.losses:
                    return batch
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return Batch([], [])
            if not self._behind:
                time.sleep(min(self._poll_seconds, remaining))

    def lag(self) -> int:
        """See `Follower.lag`."""
        with self._file.reading() as (db, _):
            topics = sqlite_topics.describe(db)
        return sum(_waiting(place, topics.get(place.topic)) for place in self._places)

    def close(self) -> None:
        """See `Follower.close`."""
        self._file.close()

    def _begin(self) -> None:
        with self._file.reading() as (db, state):
            topics = sqlite_topics.load(db)
            for place in self._places:
                row = topics.get(place.topic)
                if row is None:
                    raise UnknownTopic(place.topic, topics)
                check_partition(place.topic, place.number, len(row.partition_ids))
                place.epoch = row.epoch
            self._locate(db, state)

    def _something_new(self) -> bool:
        version = self._file.data_version()
        if version != self._data_version or self._file.generation != self._generation:
            self._data_version = version
            return True
        return self._behind

    def _take(self, max_records: int) -> Batch:
        # Until the scan has ended well there may be more: an error on the way must not hide it.
        self._behind = True
        with self._file.reading() as (db, state):
            if self._file.generation != self._generation or state.topics_version != self._topics_version:
                self._locate(db, state)
            elif state.trimmed_id > self._cursor:
                self._note_expired(db)
            records = self._scan(db, state, max_records)
        losses, self._losses = self._losses, []
        return Batch(records, losses)

    def _scan(self, db: sqlite3.Connection, state: State, max_records: int) -> list[Record]:
        records: list[Record] = []
        size = 0
        rows = db.execute(
            "SELECT id, partition_id, offset, timestamp_ms, key, value FROM records WHERE id > ? ORDER BY id",
            (self._cursor,),
        )
        by_id, last_id = self._by_id, state.next_id - 1
        try:
            for scanned, (record_id, partition_id, offset, timestamp_ms, key, value) in enumerate(rows, 1):
                self._cursor = record_id
                place = by_id.get(partition_id)
                if place is not None and offset >= place.next:
                    place.next = offset + 1
                    size += len(value)
                    records.append(Record(place.topic, place.number, offset, timestamp_ms, key, value))
                if len(records) >= max_records or size >= POLL_BYTES or scanned >= POLL_SCANNED:
                    break
            else:
                self._cursor = last_id
        except sqlite3.Error:
            # What was read so far is sound and counted as returned; the next poll meets the error again.
            if not records:
                raise
        rows.close()
        self._behind = self._cursor < last_id
        return records

    def _locate(self, db: sqlite3.Connection, state: State) -> None:
        """Find the followed topics again, and set the cursor before the first record wanted."""
        topics = sqlite_topics.load(db)
        for place in self._places:
            row = topics.get(place.topic)
            if row is not None and row.epoch != place.epoch:
                self._note_epoch(db, place, row.epoch)
            ids = row.partition_ids if row else ()
            place.partition_id = ids[place.number] if place.number < len(ids) else None
        self._by_id = {place.partition_id: place for place in self._places if place.partition_id is not None}
        self._note_expired(db)
        wanted = (_first_id(db, place) for place in self._by_id.values())
        self._cursor = min((i for i in wanted if i is not None), default=state.next_id) - 1
        self._topics_version = state.topics_version
        self._generation = self._file.generation

    def _note_epoch(self, db: sqlite3.Connection, place: _Place, epoch: str) -> None:
        end = sqlite_topics.end_of_epoch(db, place.epoch, place.number)
        last = max(place.next, end or 0) - 1
        self._losses.append(Loss(place.topic, place.number, place.next, last, "epoch", epoch))
        place.epoch, place.next = epoch, 0

    def _note_expired(self, db: sqlite3.Connection) -> None:
        earliest = sqlite_topics.earliest_offsets(db)
        for partition_id, place in self._by_id.items():
            first = earliest[partition_id]
            if place.next < first:
                loss = Loss(place.topic, place.number, place.next, first - 1, "expired", place.epoch)
                self._losses.append(loss)
                place.next = first


def check_partition(topic: str, partition: int, partitions: int) -> None:
    """Raises TopicMismatch when `topic` has no such partition."""
    if not 0 <= partition < partitions:
        raise TopicMismatch(
            f"topic {topic!r} has partitions 0 to {partitions - 1}, and {partition} was asked for",
            remedy="see what there is: ./task local:stats:topics",
            exit_code=ExitCode.USAGE,
        )


def _first_id(db: sqlite3.Connection, place: _Place) -> int | None:
    row = db.execute(
        "SELECT id FROM records WHERE partition_id = ? AND offset >= ? ORDER BY offset LIMIT 1",
        (place.partition_id, place.next),
    ).fetchone()
    return None if row is None else int(row[0])


def _waiting(place: _Place, topic: TopicState | None) -> int:
    if topic is None or place.number >= len(topic.partitions):
        return 0
    state = topic.partitions[place.number]
    start = place.next if place.epoch == topic.epoch else 0
    return max(0, state.end - max(start, state.earliest))
