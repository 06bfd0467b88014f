"""The event log: a port (base.py) and its engines, opened by `open_log`."""

from odin_ws.eventlog.base import EventLog
from odin_ws.home import Home
from odin_ws.settings import Settings

__all__ = ["open_log"]


def open_log(settings: Settings, home: Home) -> EventLog:
    """Open the event log that the settings name; the embedded one is created when it is not there.

    Raises LogUnavailable when it cannot be opened.
    """
    from odin_ws.eventlog.sqlite import SqliteLog

    return SqliteLog(home.log_file, settings.log)
