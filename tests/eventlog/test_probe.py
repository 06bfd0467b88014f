"""The probe tells what is wrong with the log, and creates nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from odin_ws.eventlog.base import Draft
from odin_ws.eventlog.probe import LogSizes, low_disk, measure, probe_log
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.home import Home
from odin_ws.settings import LogSettings, Settings, StackSettings

SETTINGS = Settings(log=LogSettings(busy_timeout_seconds=0.05), stack=StackSettings(min_free_disk_mb=0))
NAMES = [topic.name for topic in SETTINGS.all_topics()]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def create_log(home: Home, records: int = 0) -> None:
    with closing(SqliteLog(home.log_file, SETTINGS.log)) as log:
        log.create_topics(SETTINGS.all_topics())
        log.append([Draft("odin.trades", b"BTC", b"{}")] * records)


def test_a_log_in_order_has_no_problems(home: Home) -> None:
    create_log(home, records=7)
    probe = probe_log(SETTINGS, home)
    assert probe.problems == []
    assert (probe.writable, probe.readable, probe.records_retained) == (True, True, 7)
    assert probe.topics_present == sorted(NAMES)
    assert probe.topics_missing == []
    assert probe.file_bytes == home.log_file.stat().st_size
    assert probe.free_disk_bytes > 0


def test_a_log_that_is_not_there_is_not_created(home: Home) -> None:
    probe = probe_log(SETTINGS, home)
    assert not probe.readable
    assert not probe.writable
    assert probe.topics_missing == NAMES
    assert "not created" in probe.problems[0]
    assert not home.base.exists()


def test_missing_topics_are_named(home: Home) -> None:
    create_log(home)
    with closing(SqliteLog(home.log_file, SETTINGS.log)) as log:
        log.delete_topics(["odin.trades"])
    probe = probe_log(SETTINGS, home)
    assert probe.topics_missing == ["odin.trades"]
    assert probe.problems == ["topics are missing: odin.trades"]
    assert probe.writable


def test_a_log_that_is_locked_can_be_read_but_not_written(home: Home) -> None:
    create_log(home)
    with closing(sqlite3.connect(home.log_file, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        probe = probe_log(SETTINGS, home)
    assert (probe.readable, probe.writable) == (True, False)
    assert "held by another process" in probe.problems[0]


def test_a_file_of_something_else_is_told(home: Home) -> None:
    home.create()
    home.log_file.write_bytes(b"nonsense " * 1000)
    probe = probe_log(SETTINGS, home)
    assert not probe.readable
    assert "not a valid event log" in probe.problems[0]


def test_little_disk_is_a_problem(home: Home) -> None:
    create_log(home)
    greedy = SETTINGS.model_copy(update={"stack": StackSettings(min_free_disk_mb=1e12)})
    (problem,) = probe_log(greedy, home).problems
    assert problem.startswith("only ")
    assert "of disk left" in problem


def test_sizes_of_nothing_are_zero(tmp_path: Path) -> None:
    sizes = measure(tmp_path / "not" / "there" / "log.sqlite")
    assert (sizes.file_bytes, sizes.wal_bytes) == (0, 0)
    assert sizes.free_disk_bytes > 0


def test_zero_asks_for_no_free_disk() -> None:
    assert not low_disk(LogSizes(0, 0, 0), 0)
    assert low_disk(LogSizes(0, 0, 199_000_000), 200)
