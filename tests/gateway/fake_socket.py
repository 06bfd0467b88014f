"""picows without a network: frames as it hands them over, a transport that keeps what is written."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from picows import WSMsgType

from odin_ws.gateway.connection import Connection


class Frame(NamedTuple):
    """A frame of the client, unmasked, as picows gives it."""

    msg_type: WSMsgType
    payload: bytes = b""
    fin: bool = True

    @property
    def payload_size(self) -> int:
        return len(self.payload)

    def get_payload_as_bytes(self) -> bytes:
        return self.payload


class FakeSocket:
    """Both of picows' transport and asyncio's below it."""

    def __init__(self) -> None:
        self.underlying_transport = self
        self.data = b""
        self.kept = 0
        self.high_water = 0
        self.disconnects: list[bool] = []

    def set_write_buffer_limits(self, high: int) -> None:
        self.high_water = high

    def write(self, data: bytes) -> None:
        assert not self.disconnects, "written after the end"
        self.data += data

    def get_write_buffer_size(self) -> int:
        return self.kept

    def disconnect(self, graceful: bool = True) -> None:
        self.disconnects.append(graceful)

    def take(self) -> list[tuple[str, Any]]:
        """What came since the last take: ("text", message), ("close", (code, reason)), ("ping", b"")."""
        data, self.data = self.data, b""
        return list(_frames(data))

    def messages(self) -> list[Any]:
        """The same, text messages only."""
        return [content for kind, content in self.take() if kind == "text"]


def connect(gateway: Any) -> tuple[Connection, FakeSocket]:
    """A connection that is up, and its socket."""
    socket = FakeSocket()
    connection = Connection(gateway)
    connection.on_ws_connected(socket)  # type: ignore[arg-type]
    return connection, socket


def _frames(data: bytes) -> Iterator[tuple[str, Any]]:
    at = 0
    while at < len(data):
        first, size, at = data[at], data[at + 1], at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        payload, at = data[at : at + size], at + size
        if first == 0x81:
            yield "text", msgspec.json.decode(payload)
        elif first == 0x88:
            yield "close", (int.from_bytes(payload[:2], "big"), payload[2:].decode())
        else:
            assert first == 0x89, f"unexpected frame {first:#x}"
            yield "ping", payload
    assert at == len(data), "the last frame is cut"
