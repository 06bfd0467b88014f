"""The keeper as a process: ready, tidy, gone at once when asked."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from odin_ws.eventlog.base import Draft
from odin_ws.eventlog.probe import probe_log
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.home import Home
from odin_ws.settings import LogSettings, Settings, StackSettings

pytestmark = pytest.mark.integration

SETTINGS = Settings(log=LogSettings(), stack=StackSettings(min_free_disk_mb=0))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def keeper(home: Home, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    environ = {"ODIN_HOME": str(home.root), "ODIN_LOG_RETENTION_CHECK_SECONDS": "0.05", "PATH": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "odin_ws", "serve", "log"],
        cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


def next_line(keeper: "subprocess.Popen[str]") -> dict[str, Any]:
    assert keeper.stderr is not None
    line: dict[str, Any] = json.loads(keeper.stderr.readline())
    return line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_ready_and_ends_with_0(home: Home, keeper: "subprocess.Popen[str]", number: int) -> None:
    ready = next_line(keeper)
    assert (ready["event"], ready["service"], ready["topics"]) == ("ready", "redpanda", 8)
    assert probe_log(SETTINGS, home).problems == []
    keeper.send_signal(number)
    assert next_line(keeper)["event"] == "stopped"
    assert keeper.wait(30) == 0


def test_it_removes_what_expired_while_others_write(home: Home, keeper: "subprocess.Popen[str]") -> None:
    next_line(keeper)
    log = SqliteLog(home.log_file, SETTINGS.log, create=False)
    log.append([Draft("odin.trades", b"BTC", b"{}", 1000)] * 500)
    while probe_log(SETTINGS, home).records_retained:
        log.append([Draft("odin.trades", b"BTC", b"{}", 1000)])
    log.close()


def test_a_log_deleted_under_it_comes_back(home: Home, keeper: "subprocess.Popen[str]") -> None:
    next_line(keeper)
    for found in home.data.iterdir():
        found.unlink()
    trouble = next_line(keeper)
    assert trouble["event"] == "log in trouble"
    assert "deleted or replaced" in trouble["problem"]
    assert next_line(keeper)["event"] == "log works again"
    assert probe_log(SETTINGS, home).problems == []
