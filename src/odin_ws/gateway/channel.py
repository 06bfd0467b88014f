"""One channel: its last position, its last events in memory, its subscribers, and what is to be written.

A channel turns a record into a complete WebSocket frame, once for all subscribers. Position and previous
position of each event are set here, so the chain `prev` → `pos` is the same for everybody.
"""

import base64
import json
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from odin_ws.catalogue import patterns_of
from odin_ws.eventlog.base import Record
from odin_ws.gateway.frames import text_frame
from odin_ws.gateway.outbox import Outbox

_decode_json = msgspec.json.Decoder(msgspec.Raw).decode


class Event(NamedTuple):
    """A record on its way to clients: its payload is the record's value as valid JSON text."""

    position: bytes
    previous: bytes | None
    timestamp_ms: int
    payload: bytes


class Channel:
    """State of one channel; `outboxes` maps each subscriber of its exact name to its write function.

    `patterns` are those that match it; who subscribes to them is the hub's to know.
    """

    __slots__ = (
        "_prefix",
        "last_timestamp_ms",
        "name",
        "outboxes",
        "partition",
        "patterns",
        "pending",
        "position",
        "ring",
        "ring_bytes",
        "topic",
    )

    def __init__(self, name: str, topic: str, partition: int) -> None:
        self.name = name
        self.topic = topic
        self.partition = partition
        self.position: bytes | None = None
        self.last_timestamp_ms = 0
        self.ring: deque[Event] = deque()
        self.ring_bytes = 0
        self.outboxes: dict[Outbox, Callable[[bytes], None]] = {}
        self.pending: list[bytes] = []
        self.patterns = patterns_of(name)
        self._prefix = b'{"type":"event","channel":"%b","pos":"' % name.encode()

    def advance(self, position: bytes, timestamp_ms: int, payload: bytes) -> Event:
        """The next event of the channel; moves the channel's position."""
        event = Event(position, self.position, timestamp_ms, payload)
        self.position = position
        self.last_timestamp_ms = timestamp_ms
        return event

    def remember(self, event: Event, max_records: int, max_bytes: int) -> None:
        """Keep the event in memory; the oldest leave beyond either bound."""
        ring = self.ring
        ring.append(event)
        self.ring_bytes += len(event.payload)
        while ring and (len(ring) > max_records or self.ring_bytes > max_bytes):
            self.ring_bytes -= len(ring.popleft().payload)

    def frame(self, event: Event) -> bytes:
        """The event as a complete text frame."""
        position, previous, timestamp_ms, payload = event
        if previous is None:
            chain = b'","prev":null,"ts":%d,"data":' % timestamp_ms
        else:
            chain = b'","prev":"%b","ts":%d,"data":' % (previous, timestamp_ms)
        return text_frame(b"".join((self._prefix, position, chain, payload, b"}")))

    def last_frames(self, count: int) -> list[bytes]:
        """Frames of the last `count` events in memory, oldest first."""
        start = max(0, len(self.ring) - count)
        return [self.frame(self.ring[index]) for index in range(start, len(self.ring))]

    def remembered_bytes(self, count: int) -> int:
        """Bytes of payload of the last `count` events in memory."""
        if count >= len(self.ring):
            return self.ring_bytes
        return sum(len(self.ring[index].payload) for index in range(-count, 0))

    def forget(self) -> None:
        """Drop the events in memory."""
        self.ring.clear()
        self.ring_bytes = 0


def position_of(epoch: bytes, record: Record) -> bytes:
    """The position `<epoch>.<partition>.<offset>` of a record."""
    return b"%b.%d.%d" % (epoch, record.partition, record.offset)


def payload_of(value: bytes) -> tuple[bytes, bool]:
    """A record's value as JSON text, and whether it already was.

    A value that is not JSON becomes a JSON string: its text, or its base64 where it is not UTF-8 either,
    then with `"encoding":"base64"` beside `data`.
    """
    try:
        _decode_json(value)
        if not value.isascii():
            value.decode()
        return value, True
    except (msgspec.DecodeError, RecursionError):
        pass
    except UnicodeDecodeError:
        return _as_base64(value), False
    try:
        return json.dumps(value.decode(), ensure_ascii=False).encode(), False
    except UnicodeDecodeError:
        return _as_base64(value), False


def _as_base64(value: bytes) -> bytes:
    return b'"%b","encoding":"base64"' % base64.b64encode(value)
