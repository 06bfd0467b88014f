"""Removes from the embedded log what retention no longer keeps, a little at a time.

Every step is a write transaction of well under a millisecond, so that no writer waits long. A partition
is shortened from its beginning only, up to the first record still kept. A record ages by its timestamp,
or by when it was stored where the timestamp lies in the future, so that a wrong clock keeps nothing forever.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from odin_ws.eventlog.sqlite_file import LogFile

#: At most this many records, and about this many bytes of values, are removed in one transaction.
STEP_RECORDS = 200
STEP_BYTES = 4 << 20


class Cut(NamedTuple):
    """Offsets `first` to `last` of a partition are to go; `last_id` is the id of the last one."""

    partition_id: int
    first: int
    last: int
    last_id: int


class Partition(NamedTuple):
    """A partition with records; those older than `keep_from_ms` are to go, None means all."""

    partition_id: int
    earliest: int
    keep_from_ms: int | None


def remove_expired(file: LogFile, now_ms: int) -> Iterator[int]:
    """Remove everything expired at `now_ms`; yields the number of records removed after each step."""
    while cuts := _next_cuts(file, now_ms):
        with file.writing() as db:
            removed = _remove(db, cuts)
        yield removed


def _next_cuts(file: LogFile, now_ms: int) -> list[Cut]:
    cuts: list[Cut] = []
    room, room_bytes = STEP_RECORDS, STEP_BYTES
    with file.reading() as (db, _):
        for partition in _partitions(db, now_ms):
            cut, count, size = _expired(db, partition, room, room_bytes)
            if cut:
                cuts.append(cut)
            room, room_bytes = room - count, room_bytes - size
            if room <= 0 or room_bytes <= 0:
                break
    return cuts


def _partitions(db: sqlite3.Connection, now_ms: int) -> list[Partition]:
    rows = db.execute(
        "SELECT p.id, p.earliest, t.retention_ms, t.deleted FROM partitions p JOIN topics t"
        " ON t.id = p.topic_id WHERE p.earliest < p.next_offset"
    )
    return [Partition(i, earliest, None if gone else now_ms - kept) for i, earliest, kept, gone in rows]


def _expired(
    db: sqlite3.Connection, partition: Partition, room: int, room_bytes: int
) -> tuple[Cut | None, int, int]:
    rows = db.execute(
        "SELECT offset, id, min(timestamp_ms, stored_ms), length(value) FROM records"
        " WHERE partition_id = ? AND offset >= ? ORDER BY offset LIMIT ?",
        (partition.partition_id, partition.earliest, room),
    )
    cut, count, size = None, 0, 0
    for offset, record_id, age_ms, value_bytes in rows:
        kept = partition.keep_from_ms is not None and age_ms >= partition.keep_from_ms
        if kept or size >= room_bytes:
            break
        cut = Cut(partition.partition_id, partition.earliest, offset, record_id)
        count, size = count + 1, size + value_bytes
    rows.close()
    return cut, count, size


def _remove(db: sqlite3.Connection, cuts: list[Cut]) -> int:
    # Another process may have removed the same meanwhile: nothing here moves a head or the id backwards.
    removed = db.executemany(
        "DELETE FROM records WHERE partition_id = ? AND offset BETWEEN ? AND ?",
        [(cut.partition_id, cut.first, cut.last) for cut in cuts],
    ).rowcount
    db.executemany(
        "UPDATE partitions SET earliest = max(earliest, ?) WHERE id = ?",
        [(cut.last + 1, cut.partition_id) for cut in cuts],
    )
    db.execute("UPDATE state SET trimmed_id = max(trimmed_id, ?)", (max(cut.last_id for cut in cuts),))
    return removed
