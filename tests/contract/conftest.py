"""What the contract suites start from: an engine, logs opened on one private directory, writer processes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from odin_ws.eventlog.base import EventLog

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from log_engines import ENGINES  # noqa: E402

OpenLog = Callable[[], EventLog]
StartWriter = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_log(engine: str, tmp_path: Path) -> Iterator[OpenLog]:
    """Opens the test's log, each time anew, as another process or thread would."""
    opened: list[EventLog] = []

    def open_one() -> EventLog:
        opened.append(ENGINES[engine](tmp_path))
        return opened[-1]

    yield open_one
    for log in opened:
        log.close()


@pytest.fixture
def log(open_log: OpenLog) -> EventLog:
    return open_log()


@pytest.fixture
def start_writer(engine: str, tmp_path: Path) -> Iterator[StartWriter]:
    """Starts log_actor.py; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(topic: str, label: str, batches: int, size: int) -> "subprocess.Popen[str]":
        words = [engine, str(tmp_path), topic, label, str(batches), str(size)]
        process = subprocess.Popen(
            [sys.executable, str(HERE / "log_actor.py"), *words], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
