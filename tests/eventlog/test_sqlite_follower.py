"""The follower's own: bounds of one poll, errors in mid-scan, and a log replaced under it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from odin_ws.catalogue import Topic
from odin_ws.eventlog import sqlite_follower
from odin_ws.eventlog.base import Batch, Draft, LogUnavailable, Loss, TopicPartition
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.eventlog.sqlite_file import LogFile
from odin_ws.eventlog.sqlite_follower import SqliteFollower

START = {TopicPartition("t", 0): 0}


def append(log: SqliteLog, count: int, topic: str = "t", size: int = 10) -> None:
    log.append([Draft(topic, b"k", b"v" * size) for _ in range(count)])


def offsets(batch: Batch) -> list[int]:
    assert batch.losses == []
    return [record.offset for record in batch.records]


@pytest.fixture
def follower(log: SqliteLog) -> Iterator[SqliteFollower]:
    follower = log.follow(START)
    yield follower
    follower.close()


def test_one_poll_brings_a_bounded_number_of_bytes(
    log: SqliteLog, follower: SqliteFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_follower, "POLL_BYTES", 1000)
    append(log, 25, size=100)
    assert [offsets(follower.poll(0)) for _ in range(4)] == [
        list(range(10)), list(range(10, 20)), list(range(20, 25)), []
    ]  # fmt: skip


def test_records_nobody_wants_are_passed_in_bounded_steps(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_follower, "POLL_SCANNED", 10)
    log.create_topics([Topic("other", "{key}.other", 60, 1)])
    follower = log.follow(START)
    append(log, 25, topic="other")
    append(log, 1)
    assert offsets(follower.poll(0)) == []
    assert offsets(follower.poll(60)) == [0]
    follower.close()


def test_an_error_in_mid_scan_loses_and_repeats_nothing(
    log: SqliteLog, follower: SqliteFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offsets(follower.poll(0)) == []
    append(log, 10)
    with monkeypatch.context() as broken:
        broken.setattr(follower._file, "reading", breaking_after(0, follower))
        with pytest.raises(sqlite3.OperationalError):
            follower.poll(0)
        broken.setattr(follower._file, "reading", breaking_after(3, follower))
        assert offsets(follower.poll(0)) == [0, 1, 2]
    assert offsets(follower.poll(0)) == [3, 4, 5, 6, 7, 8, 9]


def breaking_after(count: int, follower: SqliteFollower) -> Callable[[], Any]:
    """`LogFile.reading` whose scan of records fails after `count` rows."""

    class Breaking:
        def __init__(self, db: sqlite3.Connection) -> None:
            self._db = db

        def execute(self, sql: str, values: tuple[object, ...]) -> Iterator[Any]:
            for number, row in enumerate(self._db.execute(sql, values).fetchall()):
                if number == count:
                    raise sqlite3.OperationalError("disk I/O error")
                yield row

    @contextmanager
    def broken() -> Iterator[tuple[Breaking, Any]]:
        with LogFile.reading(follower._file) as (db, state):
            yield Breaking(db), state

    return broken


def test_a_replaced_log_is_told_and_then_followed_from_its_beginning(
    log: SqliteLog, follower: SqliteFollower, open_sqlite: Callable[[], SqliteLog], path: Path
) -> None:
    append(log, 5)
    assert offsets(follower.poll(0)) == [0, 1, 2, 3, 4]
    for found in path.parent.iterdir():
        found.unlink()
    with pytest.raises(LogUnavailable, match="deleted or replaced"):
        follower.poll(0)
    with pytest.raises(LogUnavailable, match="does not exist"):
        follower.poll(0)
    new = open_sqlite()
    assert follower.poll(0) == Batch([], [])
    new.create_topics([Topic("t", "{key}.t", 60, 1)])
    append(new, 2)
    batch = follower.poll(60)
    assert batch.losses == [Loss("t", 0, 5, 4, "epoch", new.describe()["t"].epoch)]
    assert [record.offset for record in batch.records] == [0, 1]


def test_a_log_replaced_by_one_that_is_in_use_is_read_from_its_first_record(
    log: SqliteLog, follower: SqliteFollower, open_sqlite: Callable[[], SqliteLog], path: Path
) -> None:
    append(log, 50)
    assert len(follower.poll(0).records) == 50
    for found in path.parent.iterdir():
        found.unlink()
    new = open_sqlite()
    new.create_topics([Topic("t", "{key}.t", 60, 1)])
    append(new, 3)
    with pytest.raises(LogUnavailable, match="deleted or replaced"):
        follower.poll(0)
    batch = follower.poll(0)
    assert [loss.reason for loss in batch.losses] == ["epoch"]
    assert [record.offset for record in batch.records] == [0, 1, 2]


def test_what_was_deleted_unread_is_counted_to_the_end_of_the_old_topic(
    log: SqliteLog, follower: SqliteFollower
) -> None:
    append(log, 5)
    assert offsets(follower.poll(0, max_records=2)) == [0, 1]
    log.delete_topics(["t"])
    log.create_topics([Topic("t", "{key}.t", 60, 1)])
    assert follower.poll(0).losses == [Loss("t", 0, 2, 4, "epoch", log.describe()["t"].epoch)]


def test_a_topic_created_again_with_fewer_partitions_leaves_the_others_silent(log: SqliteLog) -> None:
    log.create_topics([Topic("wide", "{key}.wide", 60, 3)])
    follower = log.follow({TopicPartition("wide", number): 0 for number in range(3)})
    log.delete_topics(["wide"])
    log.create_topics([Topic("wide", "{key}.wide", 60, 1)])
    append(log, 2, topic="wide")
    batch = follower.poll(60)
    assert [loss.partition for loss in batch.losses] == [0, 1, 2]
    assert [(record.partition, record.offset) for record in batch.records] == [(0, 0), (0, 1)]
    assert follower.lag() == 0
    follower.close()


def test_a_change_of_other_topics_disturbs_nothing(log: SqliteLog, follower: SqliteFollower) -> None:
    append(log, 3)
    assert offsets(follower.poll(0, max_records=2)) == [0, 1]
    log.create_topics([Topic("other", "{key}.other", 60, 1)])
    append(log, 2)
    assert offsets(follower.poll(0)) == [2, 3, 4]


def test_a_closed_one_says_so(follower: SqliteFollower) -> None:
    follower.close()
    with pytest.raises(LogUnavailable, match="closed"):
        follower.poll(0)
