"""What is the embedded engine's own: caches checked against other writers, full, locked and broken files."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from odin_ws.catalogue import Topic
from odin_ws.eventlog.base import Draft, LogFull, LogUnavailable
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.settings import LogSettings

OpenSqlite = Callable[[], SqliteLog]


def drafts(count: int, size: int = 10, timestamp_ms: int | None = None) -> list[Draft]:
    return [Draft("t", b"k", b"v" * size, timestamp_ms) for _ in range(count)]


def end(log: SqliteLog) -> int:
    return log.describe()["t"].partitions[0].end


def fill(log: SqliteLog, size: int = 1000, timestamp_ms: int | None = None) -> int:
    """Append until the file is full; returns how many appends of ten worked."""
    db = log._file.connection()
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages + 100}")
    for done in range(1000):
        try:
            log.append(drafts(10, size, timestamp_ms))
        except LogFull:
            return done
    raise AssertionError("the file never filled up")


def test_a_full_log_takes_nothing_of_the_batch_and_keeps_the_rest(log: SqliteLog) -> None:
    done = fill(log)
    assert end(log) == 10 * done
    with pytest.raises(LogFull, match="no space is left") as raised:
        log.append(drafts(10, 1000))
    assert "retention_seconds" in raised.value.remedy
    assert [r.offset for r in log.read("t", 0, 0, 10_000)] == list(range(10 * done))


def test_a_full_log_works_again_after_retention(log: SqliteLog) -> None:
    done = fill(log, timestamp_ms=1000)
    assert log.enforce_retention() == 10 * done
    assert log.append(drafts(10, 1000))[0].offset == 10 * done


def test_an_append_that_met_a_lock_can_be_repeated_without_a_duplicate(
    log: SqliteLog, open_sqlite: OpenSqlite, path: Path
) -> None:
    log.append(drafts(2))
    with closing(sqlite3.connect(path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogUnavailable, match="held by another process"):
            log.append(drafts(3))
    open_sqlite().append(drafts(1))
    assert [place.offset for place in log.append(drafts(3))] == [3, 4, 5]
    assert end(log) == 6


def test_an_append_that_failed_half_way_spoils_no_cached_offset(log: SqliteLog) -> None:
    log.append(drafts(2))
    with pytest.raises(sqlite3.IntegrityError):
        log.append([*drafts(2), Draft("t", b"k", None)])  # type: ignore[arg-type]
    assert [place.offset for place in log.append(drafts(2))] == [2, 3]


def test_another_writers_append_shows_in_the_next_offset(log: SqliteLog, open_sqlite: OpenSqlite) -> None:
    other = open_sqlite()
    offsets: list[int] = []
    for writer in (log, log, other, other, log, other):
        offsets.extend(place.offset for place in writer.append(drafts(2)))
    assert offsets == list(range(12))


def test_threads_with_logs_of_their_own_write_at_once(open_sqlite: OpenSqlite, path: Path) -> None:
    open_sqlite().create_topics([Topic("t", "{key}.t", 60, 1)])
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with closing(SqliteLog(path, LogSettings(busy_timeout_seconds=60))) as log:
                for _ in range(50):
                    log.append(drafts(3))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert end(open_sqlite()) == 600


def test_several_may_create_the_log_at_once(path: Path) -> None:
    failures: list[BaseException] = []
    ready = threading.Barrier(6)

    def create() -> None:
        try:
            ready.wait()
            with closing(SqliteLog(path, LogSettings(busy_timeout_seconds=60))) as log:
                log.create_topics([Topic("t", "{key}.t", 60, 4)])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with closing(SqliteLog(path, LogSettings())) as log:
        assert len(log.describe()["t"].partitions) == 4


def test_a_replaced_log_is_told_once_and_then_used(
    log: SqliteLog, open_sqlite: OpenSqlite, path: Path
) -> None:
    log.append(drafts(5))
    for found in path.parent.iterdir():
        found.unlink()
    open_sqlite().create_topics([Topic("t", "{key}.t", 60, 1)])
    with pytest.raises(LogUnavailable, match="deleted or replaced"):
        log.append(drafts(1))
    assert log.append(drafts(1))[0].offset == 0


def test_broken_pages_are_told(log: SqliteLog, open_sqlite: OpenSqlite, path: Path) -> None:
    log.append(drafts(2000, 100))
    log.close()
    size = path.stat().st_size
    with path.open("r+b") as broken:
        broken.seek(size // 4)
        broken.write(b"\xa5" * (size // 2))
    with pytest.raises(LogUnavailable, match="not a valid event log"):
        open_sqlite().read("t", 0, 0, 10_000)


def test_what_it_is_called(log: SqliteLog) -> None:
    assert log.title == "embedded log (SQLite)"
