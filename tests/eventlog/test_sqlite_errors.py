"""Every error of SQLite that a user can cause has a remedy; defects of the program are not hidden."""

import sqlite3
from pathlib import Path

import pytest

from odin_ws.eventlog.base import LogFull, LogUnavailable
from odin_ws.eventlog.sqlite_errors import in_plain_words


def failing(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_BUSY, LogUnavailable, "held by another process for over 5 s"),
        (sqlite3.SQLITE_BUSY_RECOVERY, LogUnavailable, "held by another process"),
        (sqlite3.SQLITE_FULL, LogFull, "no space is left"),
        (sqlite3.SQLITE_NOTADB, LogUnavailable, "not a valid event log"),
        (sqlite3.SQLITE_CORRUPT, LogUnavailable, "not a valid event log"),
        (sqlite3.SQLITE_READONLY, LogUnavailable, "cannot be opened for writing"),
        (sqlite3.SQLITE_CANTOPEN, LogUnavailable, "cannot be opened for writing"),
        (sqlite3.SQLITE_IOERR_WRITE, LogUnavailable, "as SQLite says it"),
    ],
)
def test_each_has_its_words_and_a_remedy(tmp_path: Path, code: int, kind: type, words: str) -> None:
    error = in_plain_words(failing(code), tmp_path / "log.sqlite", 5)
    assert error is not None
    assert type(error) is kind
    assert words in error.message
    assert str(tmp_path / "log.sqlite") in error.message
    assert error.remedy


def test_an_io_error_on_a_disk_without_space_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odin_ws.eventlog.sqlite_errors._free_bytes", lambda path: 0)
    error = in_plain_words(failing(sqlite3.SQLITE_IOERR_SHMSIZE), tmp_path / "log.sqlite", 5)
    assert isinstance(error, LogFull)


def test_a_defect_stays_what_it_is(tmp_path: Path) -> None:
    assert in_plain_words(failing(sqlite3.SQLITE_MISUSE), tmp_path, 5) is None
    assert in_plain_words(sqlite3.ProgrammingError("wrong number of bindings"), tmp_path, 5) is None
