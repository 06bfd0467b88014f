"""Prints log lines: `HH:MM:SS service | …`, one fixed colour a service, or JSON.

JSON is one array; while following, where there is no end, one object a line.
"""

import json
import os
import select
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from odin_ws.cli.printing import print_json

if TYPE_CHECKING:
    from odin_ws.stack.logs import Line
    from odin_ws.stack.services import Service

_ANSI = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "white": 37}
_LEVEL_COLOURS = {"warning": 33, "error": 31, "critical": 31}


def print_lines(lines: Sequence["Line"], services: Sequence["Service"], output: str) -> None:
    """Print lines that are all there."""
    if output == "json":
        print_json([as_document(line) for line in lines])
        return
    for text in rendered(lines, services):
        print(text)


def print_stream(
    lines: Sequence["Line"], stream: Iterator["Line"], services: Sequence["Service"], output: str
) -> None:
    """Print lines, then go on with those of an endless stream."""
    for source in (lines, stream):
        if output == "json":
            for line in source:
                print(json.dumps(as_document(line), ensure_ascii=False, default=str), flush=True)
        else:
            for text in rendered(source, services):
                print(text, flush=True)


def reader_is_gone() -> bool:
    """Whether whoever read our stdout has closed it: then following ends (`logs -f | head`)."""
    poller = select.poll()
    poller.register(sys.stdout.fileno(), 0)
    return bool(poller.poll(0))


def rendered(lines: Iterable["Line"], services: Sequence["Service"]) -> Iterator[str]:
    """Lines as text, coloured on a terminal."""
    colours = {s.name: _ANSI.get(s.colour, 37) for s in services} if _coloured() else {}
    width = max(len(service.name) for service in services)
    for line in lines:
        clock = datetime.fromtimestamp(line.time).strftime("%H:%M:%S")
        name, message = line.service.ljust(width), line.message
        if colours:
            name = f"\x1b[{colours[line.service]}m{name}\x1b[0m"
            if code := _LEVEL_COLOURS.get(line.level):
                message = f"\x1b[{code}m{message}\x1b[0m"
        yield f"{clock} {name} | {message}"


def as_document(line: "Line") -> dict[str, Any]:
    """A line for programs."""
    fields = asdict(line)
    fields["time"] = datetime.fromtimestamp(line.time, UTC).isoformat()
    return fields


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
