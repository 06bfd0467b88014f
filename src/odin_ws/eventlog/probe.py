"""What a health check asks of the embedded log: can it be written and read, are the topics there?

`probe_log` opens the log as any client does, writes and reads through the port, and closes it again. It
never creates the log: one that is not there is a problem to tell.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from odin_ws.eventlog.base import EventLog, LogError
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.eventlog.sqlite_file import wal_path
from odin_ws.home import Home
from odin_ws.settings import Settings

#: A probe waits this long for another writer's lock, and no longer, to answer before its own deadline.
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class LogSizes:
    """Bytes on disk: the log's file, its write-ahead log, and what is free beside them."""

    file_bytes: int
    wal_bytes: int
    free_disk_bytes: int


@dataclass(frozen=True)
class LogProbe:
    """What a probe found. It is healthy when `problems` is empty."""

    writable: bool = False
    readable: bool = False
    topics_present: list[str] = field(default_factory=list)
    topics_missing: list[str] = field(default_factory=list)
    file_bytes: int = 0
    wal_bytes: int = 0
    free_disk_bytes: int = 0
    records_retained: int = 0
    problems: list[str] = field(default_factory=list)


def probe_log(settings: Settings, home: Home) -> LogProbe:
    """Probe the embedded log of `home`; raises nothing for a log in trouble, but tells it."""
    sizes = measure(home.log_file)
    problems = _disk_problems(sizes, settings.stack.min_free_disk_mb)
    wanted = [topic.name for topic in settings.all_topics()]
    if not home.log_file.exists():
        problems.insert(0, f"the log is not created: {home.log_file} does not exist")
        return LogProbe(topics_missing=wanted, problems=problems, **vars(sizes))
    patience = min(_PATIENCE_SECONDS, settings.log.busy_timeout_seconds)
    try:
        log = SqliteLog(
            home.log_file,
            settings.log.model_copy(update={"busy_timeout_seconds": patience}),
            create=False,
        )
    except LogError as error:
        return LogProbe(topics_missing=wanted, problems=[error.message, *problems], **vars(sizes))
    try:
        return _probe(log, wanted, sizes, problems)
    finally:
        log.close()


def measure(path: Path) -> LogSizes:
    """The sizes of a log at `path`; 0 for a file that is not there."""
    directory = next(parent for parent in path.parents if parent.is_dir())
    return LogSizes(_size(path), _size(wal_path(path)), shutil.disk_usage(directory).free)


def low_disk(sizes: LogSizes, min_free_disk_mb: float) -> bool:
    """Whether less is free than the settings ask for (0 asks for nothing)."""
    return sizes.free_disk_bytes < min_free_disk_mb * 1e6


def _probe(log: EventLog, wanted: list[str], sizes: LogSizes, problems: list[str]) -> LogProbe:
    writable = readable = False
    topics = {}
    try:
        topics = log.describe()
        readable = True
        log.ping()
        writable = True
    except LogError as error:
        problems.insert(0, error.message)
    missing = [name for name in wanted if name not in topics] if readable else []
    if missing:
        problems.append("topics are missing: " + ", ".join(missing))
    return LogProbe(
        writable=writable,
        readable=readable,
        topics_present=sorted(topics),
        topics_missing=missing,
        records_retained=sum(p.end - p.earliest for t in topics.values() for p in t.partitions),
        problems=problems,
        **vars(sizes),
    )


def _disk_problems(sizes: LogSizes, min_free_disk_mb: float) -> list[str]:
    if not low_disk(sizes, min_free_disk_mb):
        return []
    return [f"only {sizes.free_disk_bytes / 1e6:.0f} MB of disk left, under {min_free_disk_mb:g} MB"]


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
