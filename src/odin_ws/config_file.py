"""Reads odin.toml: its values, and the line of each key, which the standard library's parser does not tell.

`read_file` gives leaves (a path of keys and a value) and lines, or one problem with the line of the error.
What the values mean, and whether they may be, is not its business.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

_KEY = r"(?:\"[^\"]*\"|'[^']*'|[\w-]+)"
_DOTTED_KEY = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED_KEY})\s*\]\]?\s*(?:#.*)?$")
_PAIR = re.compile(rf"\s*({_DOTTED_KEY})\s*=")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


KeyPath = tuple[str, ...]


class Leaf(NamedTuple):
    """A value of the file, or an empty table, at a path of keys."""

    path: KeyPath
    value: Any


class TomlFile(NamedTuple):
    """What a file holds, in its order, and the line of each key and table."""

    leaves: list[Leaf]
    lines: dict[KeyPath, int]


class Unreadable(Exception):
    """The file cannot be read or is not TOML; `line` is 0 where no line is to blame."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_file(path: Path) -> TomlFile:
    """Read a TOML file; raises Unreadable."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
        tree = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8", raw.count(b"\n", 0, error.start) + 1) from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text) from None
    leaves, lines = _leaves(tree), lines_of_keys(text)
    return TomlFile(leaves, {leaf.path: _line(leaf.path, lines) for leaf in leaves} | lines)


def lines_of_keys(text: str) -> dict[KeyPath, int]:
    """Line of each key and table. A simple scan: a line inside a long text may be taken for a key."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _split(header[1])
            lines.setdefault(table, number)
        elif pair := _PAIR.match(line):
            lines.setdefault((*table, *_split(pair[1])), number)
    return lines


def _syntax_error(message: str, text: str) -> Unreadable:
    place = _AT_LINE.search(message)
    what = _AT_LINE.sub("", message)
    line = int(place[1]) if place and place[1] else len(text.splitlines())
    return Unreadable(f"is not valid TOML: {what[:1].lower()}{what[1:]}", line)


def _leaves(tree: dict[str, Any], path: KeyPath = ()) -> list[Leaf]:
    found: list[Leaf] = []
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            found.extend(_leaves(value, (*path, name)))
        else:
            found.append(Leaf((*path, name), value))
    return found


def _line(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of the key, else of the nearest table around it (inline tables have no lines of their own)."""
    return next((lines[path[:size]] for size in range(len(path), 0, -1) if path[:size] in lines), 1)


def _split(key: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, key))
