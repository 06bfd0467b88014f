"""A file is known to be an event log, of this format, or it is told what it is."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from odin_ws.eventlog.base import LogUnavailable
from odin_ws.eventlog.sqlite_schema import State, is_laid_out, lay_out, read_state

PATH = Path("log.sqlite")


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    yield db
    db.close()


def test_an_empty_file_is_not_laid_out_and_then_is(db: sqlite3.Connection) -> None:
    assert not is_laid_out(db, PATH)
    lay_out(db)
    assert is_laid_out(db, PATH)
    assert read_state(db) == State(next_id=1, trimmed_id=0, topics_version=1)


def test_a_layout_that_was_not_committed_leaves_nothing(db: sqlite3.Connection) -> None:
    db.execute("BEGIN")
    lay_out(db)
    db.execute("ROLLBACK")
    assert not is_laid_out(db, PATH)


def test_another_programs_database_is_refused(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE birds (name TEXT)")
    with pytest.raises(LogUnavailable, match="not an event log"):
        is_laid_out(db, PATH)


def test_another_format_is_refused(db: sqlite3.Connection) -> None:
    lay_out(db)
    db.execute("PRAGMA user_version = 99")
    with pytest.raises(LogUnavailable, match="format 99"):
        is_laid_out(db, PATH)
