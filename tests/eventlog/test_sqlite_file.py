"""One connection: it waits for a lock, rolls back, notices a replaced file, and refuses what is no log."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from odin_ws.eventlog import sqlite_file
from odin_ws.eventlog.base import LogUnavailable
from odin_ws.eventlog.sqlite_file import LogFile, wal_path
from odin_ws.settings import LogSettings

IMPATIENT = LogSettings(busy_timeout_seconds=0.05)
PATIENT = LogSettings(busy_timeout_seconds=60)


@pytest.fixture
def file(path: Path) -> Iterator[LogFile]:
    with closing(LogFile(path, IMPATIENT, create=True)) as file:
        yield file


def rival(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)


def pinged(file: LogFile) -> int:
    return one(file, "SELECT pinged_ms FROM state")


def one(file: LogFile, sql: str) -> int:
    with file.reading() as (db, _):
        return int(db.execute(sql).fetchone()[0])


def ping(file: LogFile, mark: int) -> None:
    with file.writing() as db:
        db.execute("UPDATE state SET pinged_ms = ?", (mark,))


def delete(path: Path) -> None:
    for found in path.parent.glob(path.name + "*"):
        found.unlink()


def test_it_is_not_made_unless_asked(path: Path) -> None:
    with pytest.raises(LogUnavailable, match="does not exist"):
        LogFile(path, IMPATIENT, create=False)
    assert not path.parent.exists()


def test_a_write_ends_committed_or_not_at_all(path: Path, file: LogFile) -> None:
    def fail() -> None:
        with file.writing() as db:
            db.execute("UPDATE state SET pinged_ms = 2")
            raise RuntimeError

    ping(file, 1)
    with pytest.raises(RuntimeError):
        fail()
    with closing(LogFile(path, IMPATIENT, create=False)) as other:
        assert pinged(other) == 1
        ping(other, 3)
    assert pinged(file) == 3


def test_a_held_lock_is_told_and_the_next_write_works(path: Path, file: LogFile) -> None:
    with closing(rival(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogUnavailable, match="held by another process"):
            ping(file, 1)
        assert pinged(file) == 0
        other.execute("ROLLBACK")
    ping(file, 1)
    assert pinged(file) == 1


def test_a_lock_that_is_released_in_time_is_waited_for(path: Path, file: LogFile) -> None:
    with closing(LogFile(path, PATIENT, create=False)) as patient, closing(rival(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.05, lambda: other.execute("ROLLBACK"))
        release.start()
        ping(patient, 7)
        release.join()
    assert pinged(file) == 7


def test_readers_are_not_held_up_by_a_writer(path: Path, file: LogFile) -> None:
    with closing(rival(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE state SET pinged_ms = 5")
        assert pinged(file) == 0


def test_data_version_moves_with_others_commits(path: Path, file: LogFile) -> None:
    before = file.data_version()
    assert file.data_version() == before
    with closing(LogFile(path, IMPATIENT, create=False)) as other:
        ping(other, 1)
    assert file.data_version() != before


def test_a_deleted_file_is_noticed_not_written(path: Path, file: LogFile) -> None:
    delete(path)
    with pytest.raises(LogUnavailable, match="deleted or replaced"):
        ping(file, 1)
    with pytest.raises(LogUnavailable, match="does not exist"):
        ping(file, 1)
    assert not path.exists()


def test_a_replaced_file_is_opened_at_the_next_use(path: Path, file: LogFile) -> None:
    ping(file, 1)
    generation = file.generation
    delete(path)
    with closing(LogFile(path, IMPATIENT, create=True)) as new:
        ping(new, 2)
        with pytest.raises(LogUnavailable, match="deleted or replaced"):
            pinged(file)
        assert pinged(file) == 2
    assert file.generation == generation + 1


@pytest.mark.parametrize(
    "content", [b"not a database, but quite some text" * 100, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_file_of_something_else_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LogUnavailable, match="not a valid event log") as raised:
        LogFile(path, IMPATIENT, create=True)
    assert "./task local:restart:redpanda" in raised.value.remedy
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(rival(path)) as other:
        other.execute("CREATE TABLE birds (name TEXT)")
    content = path.read_bytes()
    with pytest.raises(LogUnavailable, match="not an event log"):
        LogFile(path, IMPATIENT, create=True)
    assert path.read_bytes() == content


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(LogUnavailable, match="cannot be opened"):
        LogFile(tmp_path / "occupied" / "log.sqlite", IMPATIENT, create=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed to be without permission")
def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    # The directories above must let the other user through: pytest's own do not.
    path = Path("/tmp") / f"odin-{os.getpid()}" / "log.sqlite"
    LogFile(path, IMPATIENT, create=True).close()
    path.parent.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(LogUnavailable, match="cannot be opened for writing") as raised:
            ping(LogFile(path, IMPATIENT, create=False), 1)
        assert "permissions" in raised.value.remedy
    finally:
        os.seteuid(0)
        delete(path)
        path.parent.rmdir()


def test_a_closed_one_says_so(file: LogFile) -> None:
    file.close()
    file.close()
    with pytest.raises(LogUnavailable, match="closed"):
        file.data_version()


def test_only_a_long_write_ahead_log_is_begun_anew(file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    ping(file, 1)
    file.connection().set_trace_callback(statements.append)
    file.checkpoint()
    assert statements == ["PRAGMA wal_checkpoint(PASSIVE)"]
    statements.clear()
    monkeypatch.setattr(sqlite_file, "WAL_RESTART_BYTES", 1)
    ping(file, 2)
    file.checkpoint()
    assert statements[-2:] == ["PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(RESTART)"]


def test_checkpoints_keep_the_write_ahead_log_short(
    path: Path, file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "WAL_RESTART_BYTES", 64 << 10)
    sizes = []
    for mark in range(400):
        ping(file, mark)
        if mark % 20 == 0:
            file.checkpoint()
            sizes.append(wal_path(path).stat().st_size)
    assert max(sizes) < 2 * (64 << 10)
    assert sizes[-1] == sizes[-5]


def test_fsync_is_what_the_settings_say(path: Path, file: LogFile) -> None:
    assert one(file, "PRAGMA synchronous") == 1
    with closing(LogFile(path, LogSettings(fsync=True), create=False)) as synced:
        assert one(synced, "PRAGMA synchronous") == 2
