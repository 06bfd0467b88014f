"""Lines of NDJSON into drafts for the event log, each line judged by itself.

A line is `{"topic", "key", "value"[, "timestamp"]}`: `value` is any JSON and reaches the log compact but
otherwise as written (digits of numbers, order of fields); `key` may be null or left out; `timestamp` is
Unix time in ms. A line that is not so raises `BadLine` with the reason. Pure; sending.py does the rest.
"""

import difflib
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Annotated

import msgspec

from odin_ws.eventlog.base import Draft

#: Longest line, in bytes: what a Kafka broker takes for a record unless told otherwise.
MAX_LINE_BYTES = 1_048_576

_LAST_TIMESTAMP_MS = 253_402_300_799_999
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STRING_OR_SPACE = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+')
_FIELDS = "the fields are topic, key, value and timestamp"
_WRONG_TYPES = {
    "topic": "topic must be a string",
    "key": "key must be a string or null",
    "timestamp": "timestamp must be Unix time in milliseconds, a whole number",
}


class BadLine(ValueError):
    """A line that cannot be a record; the message is the reason, for people."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    topic: str
    value: msgspec.Raw
    key: str | None = None
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=_LAST_TIMESTAMP_MS)] | None = None


class LineParser:
    """Makes drafts for the topics that exist.

    Args:
        topics: names of the topics that records may go to.
    """

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = frozenset(topics)
        self._unknown = lru_cache(maxsize=1000)(self._unknown_topic)
        self._decode = msgspec.json.Decoder(_Line).decode

    def draft(self, line: bytes) -> Draft:
        """The record of a line. Raises BadLine."""
        if len(line) > MAX_LINE_BYTES:
            raise BadLine(f"is longer than {MAX_LINE_BYTES} bytes")
        try:
            line.decode()
            parsed = self._decode(line)
        except UnicodeDecodeError as error:
            raise BadLine(f"is not valid UTF-8 at byte {error.start}") from None
        except msgspec.ValidationError as error:
            raise BadLine(_explain(str(error))) from None
        except msgspec.DecodeError as error:
            reason = str(error).removeprefix("JSON is malformed: ")
            raise BadLine(f"is not valid JSON: {reason}") from None
        except RecursionError:
            raise BadLine("is nested too deeply") from None
        if parsed.topic not in self._topics:
            raise BadLine(self._unknown(parsed.topic))
        key = None if parsed.key is None else parsed.key.encode()
        return Draft(parsed.topic, key, compact(bytes(parsed.value)), parsed.timestamp)

    def _unknown_topic(self, topic: str) -> str:
        near = difflib.get_close_matches(topic, self._topics, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        return f"topic {topic!r} does not exist{hint}; there are: {', '.join(sorted(self._topics))}"


class LineSplitter:
    """Cuts a stream of chunks into numbered lines; keeps no more than one line of `MAX_LINE_BYTES`.

    Of a longer line only the beginning is kept, enough for the parser to see that it is too long.
    """

    def __init__(self) -> None:
        self.number = 0
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """(number, line) of each line that `chunk` completes; blank lines are counted and left out."""
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            self._keep(part)
            yield from self._line()
        self._keep(rest)

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """The last line, where the stream does not end with a line break."""
        if self._rest:
            yield from self._line()

    def _keep(self, part: bytes) -> None:
        self._rest += part[: MAX_LINE_BYTES + 2 - len(self._rest)]

    def _line(self) -> Iterator[tuple[int, bytes]]:
        line = bytes(self._rest)
        self._rest.clear()
        self.number += 1
        if self.number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if stripped := line.strip():
            yield self.number, stripped


def compact(value: bytes) -> bytes:
    """A JSON text without the white space between its parts; nothing else changes."""
    if b" " not in value and b"\t" not in value and b"\r" not in value and b"\n" not in value:
        return value
    return _STRING_OR_SPACE.sub(rb"\1", value)


def _explain(error: str) -> str:
    """msgspec's words in ours."""
    if missing := re.search(r"missing required field `(\w+)`", error):
        return f"has no {missing[1]}; {_FIELDS}"
    if unknown := re.search(r"unknown field `(.*)`", error):
        return f"has an unknown field {unknown[1]!r}; {_FIELDS}"
    if at := re.search(r"at `\$\.(\w+)`", error):
        return _WRONG_TYPES.get(at[1], error)
    return f"is no JSON object; {_FIELDS}"
