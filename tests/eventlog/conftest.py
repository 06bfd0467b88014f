"""An embedded log in a directory of its own, opened as often as a test likes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from odin_ws.catalogue import Topic
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.settings import LogSettings

#: Short patience, so that a test of a locked log does not wait for seconds.
SETTINGS = LogSettings(busy_timeout_seconds=0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "log.sqlite"


@pytest.fixture
def open_sqlite(path: Path) -> Iterator[Callable[[], SqliteLog]]:
    opened: list[SqliteLog] = []

    def open_one() -> SqliteLog:
        opened.append(SqliteLog(path, SETTINGS))
        return opened[-1]

    yield open_one
    for log in opened:
        log.close()


@pytest.fixture
def log(open_sqlite: Callable[[], SqliteLog]) -> SqliteLog:
    """A log with the topic `t`, one partition, kept for a minute."""
    log = open_sqlite()
    log.create_topics([Topic("t", "{key}.t", 60, 1)])
    return log
