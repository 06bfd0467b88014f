"""The service behind `redpanda (embedded log)`: keeps the log's file in shape while others write and read it.

It creates the log and its topics, removes expired records, moves the write-ahead log into the file, and
writes a line when sizes change much, the disk gets low, or trouble starts or ends. Nobody's records pass
through it: publishers and gateways open the file themselves and go on when the keeper is down.
"""

import signal
import threading
import time
from dataclasses import dataclass, replace
from types import FrameType

from odin_ws.eventlog.base import LogError, LogUnavailable
from odin_ws.eventlog.probe import LogSizes, low_disk, measure
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.structured_log import get_log, start_logging

#: Sizes are told again when they doubled or halved since the last line, and are not all below this.
_TOLD_ABOVE_BYTES = 64 << 20


@dataclass(frozen=True)
class Round:
    """What one round of the keeper saw; `trouble` is why it could not do its work, or None."""

    sizes: LogSizes
    trouble: str | None = None
    remedy: str = ""


@dataclass(frozen=True)
class Told:
    """What the last lines said, so that a line is written on a change only."""

    bytes_told: int = _TOLD_ABOVE_BYTES
    disk_low: bool = False
    trouble: str | None = None


@dataclass(frozen=True)
class Line:
    """A line to log."""

    level: str
    event: str
    fields: dict[str, object]


def run(settings: Settings, home: Home) -> None:
    """Keep the log until SIGTERM or SIGINT, then return at once.

    Raises LogUnavailable or LogFull when the log cannot be opened or created, and TopicMismatch.
    """
    start_logging("redpanda")
    stop = threading.Event()
    _stop_on_signals(stop)
    keeper = _Keeper(settings, home.create())
    try:
        get_log(__name__).info("ready", **keeper.introduction())
        keeper.work(stop)
    finally:
        keeper.close()
    get_log(__name__).info("stopped")


def tell(told: Told, seen: Round, min_free_disk_mb: float) -> tuple[Told, list[Line]]:
    """The lines that a round deserves after those told before, and what is told now."""
    lines = []
    if seen.trouble != told.trouble:
        if seen.trouble:
            lines.append(Line("error", "log in trouble", {"problem": seen.trouble, "remedy": seen.remedy}))
        else:
            lines.append(Line("info", "log works again", {"was": told.trouble}))
        told = replace(told, trouble=seen.trouble)
    if (is_low := low_disk(seen.sizes, min_free_disk_mb)) != told.disk_low:
        event = "disk is low" if is_low else "disk has room again"
        lines.append(Line("warning" if is_low else "info", event, _megabytes(seen.sizes)))
        told = replace(told, disk_low=is_low)
    now_bytes = max(_TOLD_ABOVE_BYTES, seen.sizes.file_bytes + seen.sizes.wal_bytes)
    if not told.bytes_told / 2 < now_bytes < told.bytes_told * 2:
        lines.append(Line("info", "size changed", _megabytes(seen.sizes)))
        told = replace(told, bytes_told=now_bytes)
    return told, lines


class _Keeper:
    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._log: SqliteLog | None = self._open()

    def introduction(self) -> dict[str, object]:
        sizes = _megabytes(measure(self._home.log_file))
        return {"file": str(self._home.log_file), "topics": len(self._settings.all_topics()), **sizes}

    def work(self, stop: threading.Event) -> None:
        told = Told()
        due = time.monotonic()
        while not stop.is_set():
            told, lines = tell(told, self._round(stop), self._settings.stack.min_free_disk_mb)
            for line in lines:
                getattr(get_log(__name__), line.level)(line.event, **line.fields)
            due = max(time.monotonic(), due + self._settings.log.retention_check_seconds)
            stop.wait(due - time.monotonic())

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _round(self, stop: threading.Event) -> Round:
        trouble, remedy = None, ""
        try:
            self._tidy(stop)
        except LogError as error:
            trouble, remedy = error.message, error.remedy
            if isinstance(error, LogUnavailable):
                # Opened anew in the next round: made again, with its topics, where it was deleted.
                self.close()
        return Round(measure(self._home.log_file), trouble, remedy)

    def _tidy(self, stop: threading.Event) -> None:
        if self._log is None:
            self._log = self._open()
        # First, because what is in the file already needs no more space in the write-ahead log.
        self._log.checkpoint()
        for _ in self._log.expiring():
            if stop.is_set():
                return

    def _open(self) -> SqliteLog:
        log = SqliteLog(self._home.log_file, self._settings.log)
        try:
            log.create_topics(self._settings.all_topics())
        except BaseException:
            log.close()
            raise
        return log


def _stop_on_signals(stop: threading.Event) -> None:
    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)


def _megabytes(sizes: LogSizes) -> dict[str, object]:
    return {name.replace("_bytes", "_mb"): round(value / 1e6, 1) for name, value in vars(sizes).items()}
