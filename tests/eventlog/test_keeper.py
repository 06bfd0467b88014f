"""The keeper writes a line when something changed, and not each second."""

import threading
from pathlib import Path

import pytest

from odin_ws.eventlog.base import Draft
from odin_ws.eventlog.keeper import Round, Told, _Keeper, tell
from odin_ws.eventlog.probe import LogSizes
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.home import Home
from odin_ws.settings import LogSettings, Settings, StackSettings

MB = 1 << 20
SETTINGS = Settings(
    log=LogSettings(busy_timeout_seconds=0.05, retention_check_seconds=0.01),
    stack=StackSettings(min_free_disk_mb=0),
)


def seen(file_mb: int = 1, free_mb: int = 10_000, trouble: str | None = None) -> Round:
    return Round(LogSizes(file_mb * MB, 0, free_mb * MB), trouble, "the remedy")


def told(*rounds: Round) -> list[str]:
    """The events of the lines that these rounds bring, one after the other."""
    memory, events = Told(), list[str]()
    for each in rounds:
        memory, lines = tell(memory, each, min_free_disk_mb=200)
        events.extend(line.event for line in lines)
    return events


def test_rounds_without_a_change_say_nothing() -> None:
    assert told(*[seen()] * 5, seen(60), seen(1)) == []


def test_trouble_is_told_when_it_starts_changes_and_ends() -> None:
    locked, full = seen(trouble="locked"), seen(trouble="full")
    assert told(locked, locked, full, full, seen(), seen()) == [
        "log in trouble", "log in trouble", "log works again"
    ]  # fmt: skip


def test_trouble_comes_with_its_reason_and_remedy() -> None:
    _, (line,) = tell(Told(), seen(trouble="locked"), 200)
    assert (line.level, line.fields) == ("error", {"problem": "locked", "remedy": "the remedy"})


def test_low_disk_is_told_when_it_starts_and_ends() -> None:
    assert told(seen(free_mb=100), seen(free_mb=90), seen(), seen()) == ["disk is low", "disk has room again"]


def test_size_is_told_when_it_doubles_or_halves() -> None:
    assert told(*(seen(size) for size in (100, 127, 130, 200, 250, 270, 200, 130, 20))) == [
        "size changed", "size changed", "size changed", "size changed"
    ]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


def test_a_round_removes_what_expired_and_a_deleted_log_is_made_again(home: Home) -> None:
    keeper = _Keeper(SETTINGS, home)
    publisher = SqliteLog(home.log_file, SETTINGS.log)
    publisher.append([Draft("odin.trades", b"BTC", b"{}", 1000)] * 5)
    assert keeper._round(threading.Event()).trouble is None
    assert publisher.read("odin.trades", 10, 0, 10) == []
    publisher.close()
    for found in home.data.iterdir():
        found.unlink()
    assert "deleted or replaced" in str(keeper._round(threading.Event()).trouble)
    assert keeper._round(threading.Event()).trouble is None
    keeper.close()
    again = SqliteLog(home.log_file, SETTINGS.log)
    assert set(again.describe()) == {topic.name for topic in SETTINGS.all_topics()}
    again.close()


def test_a_round_that_is_asked_to_stop_leaves_the_rest_for_later(home: Home) -> None:
    keeper = _Keeper(SETTINGS, home)
    log = SqliteLog(home.log_file, SETTINGS.log)
    log.append([Draft("odin.trades", b"BTC", b"{}", 1000)] * 500)
    stop = threading.Event()
    stop.set()
    keeper._round(stop)
    assert len(log.read("odin.trades", 10, 0, 1000)) == 300
    keeper.close()
    log.close()
