"""Who runs here: one small file a process with its pid and start time, so that nothing is killed by name.

A pid alone can belong to somebody else after a crash or a reboot; pid and start time together cannot.
Records live in the home's run directory: the driver writes them for what it started, a service writes its
own at startup with the settings it runs with. Who acts on them is the driver.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from odin_ws.home import Home

#: Two readings of one process's start time may differ by clock adjustment; another process's by more.
_SAME_START_SECONDS = 1.0


@dataclass(frozen=True)
class PidRecord:
    """A process that was started here.

    Args:
        name: the service, or `supervisord`.
        pid: its process id.
        started_at: its start time as the kernel tells it, Unix seconds.
        settings: the settings it runs with, as JSON; None where they are not known.
    """

    name: str
    pid: int
    started_at: float
    settings: dict[str, Any] | None = None


def record_this_process(home: Home, name: str, settings: dict[str, Any]) -> None:
    """Called by a service at startup: leave its own record with the settings in force."""
    write_record(home, PidRecord(name, os.getpid(), start_time(os.getpid()) or time.time(), settings))


def write_record(home: Home, record: PidRecord) -> None:
    """Write a record whole or not at all."""
    home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = _path(home, record.name)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(asdict(record)))
    draft.chmod(0o600)
    draft.replace(path)


def read_record(home: Home, name: str) -> PidRecord | None:
    """The record of a service; None where there is none or it cannot be read."""
    try:
        return PidRecord(**json.loads(_path(home, name).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remove_record(home: Home, name: str) -> None:
    """Forget a process; fine where nothing is recorded."""
    _path(home, name).unlink(missing_ok=True)


def start_time(pid: int) -> float | None:
    """When the process started, Unix seconds; None when there is no such process (a zombie is none)."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def is_alive(record: PidRecord | None) -> bool:
    """Whether the very process of the record still runs."""
    if record is None:
        return False
    started = start_time(record.pid)
    return started is not None and abs(started - record.started_at) < _SAME_START_SECONDS


def end_processes(records: Iterable[PidRecord], timeout_seconds: float) -> list[PidRecord]:
    """Ask recorded processes to end, then kill those that do not; returns those that were alive."""
    alive = [record for record in records if is_alive(record)]
    _signal(alive, signal.SIGTERM)
    if _wait_gone(alive, timeout_seconds):
        _signal(_still(alive), signal.SIGKILL)
        _wait_gone(alive, 2.0)
    return alive


def _signal(records: Iterable[PidRecord], number: signal.Signals) -> None:
    for record in records:
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, number)


def _still(records: Iterable[PidRecord]) -> list[PidRecord]:
    return [record for record in records if is_alive(record)]


def _wait_gone(records: Iterable[PidRecord], timeout_seconds: float) -> list[PidRecord]:
    deadline = time.monotonic() + timeout_seconds
    while (left := _still(records)) and time.monotonic() < deadline:
        time.sleep(0.03)
    return left


def _path(home: Home, name: str) -> Path:
    return home.run / f"{name}.pid.json"
