"""The event log: a port (base.py) and its engines, opened by `open_log`."""

from odin_ws.eventlog.base import EventLog
from odin_ws.home import Home
from odin_ws.settings import Settings

__all__ = ["open_log"]


def open_log(settings: Settings, home: Home, *, create: bool = True) -> EventLog:
    """Open the event log that the settings name.

    Args:
        settings: which engine, and how.
        home: where the embedded log lies.
        create: make the embedded log when it is not there; services that only use it wait for the keeper.

    Raises:
        LogUnavailable: when it cannot be opened, or is not there and must not be made.
    """
    from odin_ws.eventlog.sqlite import SqliteLog

    return SqliteLog(home.log_file, settings.log, create=create)
