"""Reads the services' log files back: one `Line` each, merged by time, filtered, followed.

Services write JSON lines (structured_log.py), but a traceback or a foreign library may write anything; such
a line belongs to the moment of the line before it. Rotation is followed: a file that is replaced or cut is
read from its beginning. Colours are the command line's work.
"""

import heapq
import json
import logging
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from odin_ws.errors import ExitCode, OdinError

FOLLOW_POLL_SECONDS = 0.2
#: Levels by name, from the least severe.
LEVELS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items() if number}
#: So much of a file is looked at when only its last lines are asked for.
_TAIL_BYTES = 4_000_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
#: Fields that stand elsewhere in a printed line, or that are the same in every line of a service.
_SHOWN_ELSEWHERE = ("ts", "level", "service", "event", "exception")


@dataclass(frozen=True)
class Line:
    """A line of a service's log; `time` is Unix seconds, `message` what is shown of it."""

    service: str
    time: float
    level: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted.

    Args:
        since: Unix seconds; older lines are left out.
        level: the least severe level wanted.
        pattern: must be found in the message; None takes all.
        tail: at most so many of the last lines; None takes all.
    """

    since: float = 0.0
    level: str = "debug"
    pattern: re.Pattern[str] | None = None
    tail: int | None = None

    def wants(self, line: Line) -> bool:
        """Whether a line passes (tail aside)."""
        if line.time < self.since or _severity(line.level) < _severity(self.level):
            return False
        return self.pattern is None or self.pattern.search(line.message) is not None


def make_filter(since: str, level: str, grep: str, tail: int | None, now: float) -> Filter:
    """A filter from what a person typed; raises OdinError (USAGE) for what cannot be understood."""
    if level and level.lower() not in LEVELS:
        raise _usage(
            f"level {level!r} is none of {', '.join(sorted(LEVELS, key=_severity))}", "LEVEL=warning"
        )
    try:
        pattern = re.compile(grep, re.IGNORECASE) if grep else None
    except re.error as error:
        raise _usage(f"GREP={grep!r} is no regular expression: {error}", "GREP='lag|drain'") from error
    if tail is not None and tail < 0:
        raise _usage(f"TAIL={tail} must not be negative", "TAIL=50")
    return Filter(parse_since(since, now) if since else 0.0, (level or "debug").lower(), pattern, tail)


def parse_since(text: str, now: float) -> float:
    """Unix seconds of `5m`, `30s`, `2h`, `1d`, `14:05`, `14:05:30` or an ISO 8601 time."""
    if ago := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip()):
        return now - float(ago[1]) * _UNITS[ago[2]]
    if clock := re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text.strip()):
        try:
            hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
            moment = datetime.fromtimestamp(now).replace(
                hour=hour, minute=minute, second=second, microsecond=0
            )
        except ValueError as error:
            raise _usage(f"SINCE={text!r}: {error}", "SINCE=14:05") from error
        return (moment if moment.timestamp() <= now else moment - timedelta(days=1)).timestamp()
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except ValueError as error:
        raise _usage(f"SINCE={text!r} is no time", "SINCE=5m, SINCE=14:05 or an ISO 8601 time") from error


def read_lines(files: Mapping[str, Sequence[Path]], wanted: Filter) -> list[Line]:
    """Lines of several services' files (oldest file first), in order of time."""
    streams = [_service_lines(service, paths, wanted) for service, paths in files.items()]
    return list(deque(heapq.merge(*streams, key=lambda line: line.time), maxlen=wanted.tail))


def follow_lines(
    files: Mapping[str, Path], wanted: Filter, is_over: Callable[[], bool] = lambda: False
) -> Iterator[Line]:
    """Lines as they are written from now on, until `is_over`; waits for files that are not there yet."""
    followers = [_Follower(service, path) for service, path in files.items()]
    return _follow(followers, wanted, is_over)


def _follow(followers: "list[_Follower]", wanted: Filter, is_over: Callable[[], bool]) -> Iterator[Line]:
    while not is_over():
        fresh = [line for follower in followers for line in follower.fresh_lines() if wanted.wants(line)]
        yield from sorted(fresh, key=lambda line: line.time)
        if not fresh:
            time.sleep(FOLLOW_POLL_SECONDS)


def last_messages(paths: Sequence[Path], count: int) -> list[str]:
    """The last lines of one service as they are shown, for the reason of a failure."""
    return [parse_line("", text, 0.0).message for path in paths[-1:] for text in tail_lines(path, count)]


def tail_lines(path: Path, count: int, limit_bytes: int = 65_536) -> list[str]:
    """The last lines of a file, from at most `limit_bytes` of its end; none where there is no file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit_bytes))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def parse_line(service: str, text: str, previous_time: float) -> Line:
    """One line of a file; what is no JSON object of ours takes the time of the line before it."""
    try:
        fields = json.loads(text)
        moment = datetime.fromisoformat(fields["ts"]).timestamp()
        level, event = str(fields.get("level", "info")), str(fields["event"])
    except (ValueError, KeyError, TypeError):
        return Line(service, previous_time, _guess_level(text), text, {"event": text})
    more = " ".join(f"{key}={_shown(fields[key])}" for key in fields if key not in _SHOWN_ELSEWHERE)
    message = f"{level.upper():<7} {event}" + (f"  {more}" if more else "") + _exception(fields)
    return Line(service, moment, level, message, fields)


def _service_lines(service: str, paths: Sequence[Path], wanted: Filter) -> Iterator[Line]:
    moment = 0.0
    for text in _texts(paths, wanted):
        moment = moment or _modified(paths[0])
        line = parse_line(service, text.rstrip("\n"), moment)
        moment = line.time
        if text.strip() and wanted.wants(line):
            yield line


def _texts(paths: Sequence[Path], wanted: Filter) -> Iterator[str]:
    """Raw lines, leaving out what cannot be wanted: files older than `since`, all but the end for `tail`."""
    if wanted == Filter(tail=wanted.tail) and wanted.tail is not None:
        yield from tail_lines(paths[-1], wanted.tail, _TAIL_BYTES) if paths else ()
        return
    for path in paths:
        if _modified(path) >= wanted.since:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from file


class _Follower:
    """Reads what is appended to one file; starts at its end."""

    def __init__(self, service: str, path: Path) -> None:
        self._service = service
        self._path = path
        self._inode, self._position = _identity(path)
        self._rest = b""

    def fresh_lines(self) -> list[Line]:
        inode, size = _identity(self._path)
        if inode != self._inode or size < self._position:
            self._inode, self._position, self._rest = inode, 0, b""
        if size == self._position:
            return []
        with self._path.open("rb") as file:
            file.seek(self._position)
            data = self._rest + file.read(size - self._position)
        self._position = size
        *whole, self._rest = data.split(b"\n")
        texts = (part.decode(errors="replace") for part in whole if part.strip())
        return [parse_line(self._service, text, time.time()) for text in texts]


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_ino, status.st_size


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _shown(value: object) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)


def _exception(fields: Mapping[str, Any]) -> str:
    """`Type: message` of each error of a structured traceback, innermost last."""
    chain = fields.get("exception")
    if isinstance(chain, list):
        chain = "; ".join(f"{e.get('exc_type')}: {e.get('exc_value')}" for e in chain if isinstance(e, dict))
    return f"  {chain}" if chain else ""


def _guess_level(text: str) -> str:
    return "error" if re.match(r"\s*(Traceback|\w*(Error|Exception)\b)", text) else "info"


def _severity(level: str) -> int:
    return LEVELS.get(level.lower(), logging.INFO)


def _usage(message: str, example: str) -> OdinError:
    return OdinError(message, remedy=f"for example {example}", exit_code=ExitCode.USAGE)
