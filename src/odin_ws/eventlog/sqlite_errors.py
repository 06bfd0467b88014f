"""SQLite's errors told in the log's words, each with what the reader can do about it."""

import shutil
import sqlite3
from pathlib import Path

from odin_ws.eventlog.base import LogError, LogFull, LogUnavailable

RESET_REMEDY = "delete it with its data and begin afresh: ./task local:restart:redpanda"
_FULL_BELOW_BYTES = 1 << 20


def in_plain_words(error: sqlite3.Error, path: Path, busy_timeout_seconds: float) -> LogError | None:
    """The log's error for an error of SQLite; None when it is a defect of this program."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LogUnavailable(
            f"the event log {path} was held by another process for over {busy_timeout_seconds:g} s",
            remedy="try again; if it lasts: ./task local:restart:redpanda",
        )
    free_bytes = _free_bytes(path)
    starved = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and free_bytes < _FULL_BELOW_BYTES
    if code == sqlite3.SQLITE_FULL or starved:
        return LogFull(
            f"no space is left for the event log {path} ({free_bytes / 1e6:.0f} MB free on its disk)",
            remedy="free disk space, or shorten retention_seconds of the busiest topics in odin.toml",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LogUnavailable(f"{path} is not a valid event log: {error}", remedy=RESET_REMEDY)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_CANTOPEN):
        return LogUnavailable(
            f"the event log {path} cannot be opened for writing: {error}",
            remedy="check the owner and permissions of the file and its directory",
        )
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL):
        return LogUnavailable(
            f"reading or writing the event log {path} failed: {error}",
            remedy="check the disk, then try again",
        )
    return None


def _free_bytes(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return 1 << 62
