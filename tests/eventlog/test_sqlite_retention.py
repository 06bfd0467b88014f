"""Retention works in small steps, reuses the file's space, and is not fooled by a wrong clock."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from odin_ws.catalogue import Topic
from odin_ws.eventlog import sqlite_retention
from odin_ws.eventlog.base import Draft
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.eventlog.sqlite_file import LogFile
from odin_ws.eventlog.sqlite_retention import remove_expired
from odin_ws.eventlog.sqlite_schema import read_state

OpenSqlite = Callable[[], SqliteLog]
LONG_AGO_MS = 1000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def old(count: int, value: bytes = b"v" * 200, topic: str = "t") -> list[Draft]:
    return [Draft(topic, b"%d" % number, value, LONG_AGO_MS) for number in range(count)]


@pytest.fixture
def file(log: SqliteLog) -> LogFile:
    return log._file


def test_no_step_removes_many(log: SqliteLog, file: LogFile) -> None:
    log.append(old(1050))
    steps = list(remove_expired(file, now_ms()))
    assert sum(steps) == 1050
    assert max(steps) <= sqlite_retention.STEP_RECORDS


def test_no_step_removes_much(log: SqliteLog, file: LogFile) -> None:
    log.append(old(20, value=b"v" * 1_000_000))
    steps = list(remove_expired(file, now_ms()))
    assert sum(steps) == 20
    assert max(steps) <= 1 + sqlite_retention.STEP_BYTES // 1_000_000


def test_one_step_serves_several_partitions(log: SqliteLog, file: LogFile) -> None:
    log.create_topics([Topic("many", "{key}.many", 60, 50)])
    log.append(old(180, topic="many"))
    assert list(remove_expired(file, now_ms())) == [180]


def test_writers_get_in_between_steps(log: SqliteLog, file: LogFile, open_sqlite: OpenSqlite) -> None:
    other = open_sqlite()
    log.append(old(450))
    removed = 0
    for step in remove_expired(file, now_ms()):
        removed += step
        other.append([Draft("t", b"k", b"young")])
    assert removed == 450
    assert len(log.read("t", 0, 0, 1000)) == 3


def test_two_at_once_remove_everything_once(log: SqliteLog, file: LogFile, open_sqlite: OpenSqlite) -> None:
    log.append(old(900))
    first = remove_expired(file, now_ms())
    second = remove_expired(open_sqlite()._file, now_ms())
    counts = [next(first), next(second), *first, *second]
    assert sum(counts) == 900
    state = log.describe()["t"].partitions[0]
    assert (state.earliest, state.end) == (900, 900)


def test_one_who_planned_before_the_other_moves_nothing_back(
    log: SqliteLog, file: LogFile, open_sqlite: OpenSqlite
) -> None:
    log.append(old(300))
    cuts = sqlite_retention._next_cuts(file, now_ms())
    assert open_sqlite().enforce_retention() == 300
    with file.writing() as db:
        before = read_state(db)
        assert sqlite_retention._remove(db, cuts) == 0
        assert read_state(db) == before
    assert log.describe()["t"].partitions[0].earliest == 300


def test_a_timestamp_in_the_future_keeps_nothing_forever(log: SqliteLog, file: LogFile) -> None:
    log.append([Draft("t", b"k", b"v", now_ms() * 1000), Draft("t", b"k", b"v")])
    assert list(remove_expired(file, now_ms() + 30_000)) == []
    assert list(remove_expired(file, now_ms() + 61_000)) == [2]


def test_records_of_a_buried_topic_go_whatever_their_age(log: SqliteLog, file: LogFile) -> None:
    log.append([Draft("t", b"k", b"young")] * 3)
    with file.writing() as db:
        db.execute("UPDATE topics SET deleted = 1")
    assert list(remove_expired(file, now_ms())) == [3]


def test_the_files_space_is_used_again(log: SqliteLog, path: Path) -> None:
    log.create_topics([Topic("long", "{key}.long", 3600, 1)])
    sizes = []
    for _ in range(25):
        mixed = [draft for number, draft in enumerate(old(600)) if number % 12]
        log.append(mixed)
        log.enforce_retention()
        log.checkpoint()
        sizes.append(path.stat().st_size)
    assert sizes[-1] <= sizes[3]
