"""The engines that the event log's contract holds for: how to open the log of a private directory."""

from collections.abc import Callable
from pathlib import Path

from odin_ws.eventlog.base import EventLog
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.settings import LogSettings


def _sqlite(directory: Path) -> EventLog:
    return SqliteLog(directory / "log.sqlite", LogSettings())


ENGINES: dict[str, Callable[[Path], EventLog]] = {"sqlite": _sqlite}
