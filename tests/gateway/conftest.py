"""A client without a socket: its outbox writes into memory, its frames come back as messages."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from odin_ws import catalogue
from odin_ws.eventlog.base import Record
from odin_ws.gateway import connection as connection_module
from odin_ws.gateway import server as server_module
from odin_ws.gateway import worker as worker_module
from odin_ws.gateway.hub import Hub
from odin_ws.gateway.outbox import Outbox
from odin_ws.gateway.protocol import Session
from odin_ws.settings import GatewaySettings


class FakeTransport:
    """Takes everything at once, or keeps it when `stalled`."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.stalled = False
        self.kept = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)
        if self.stalled:
            self.kept += len(data)

    def get_write_buffer_size(self) -> int:
        return self.kept


class FakeClient:
    """A session on a hub, and what it was sent."""

    def __init__(self, hub: Hub, settings: GatewaySettings) -> None:
        self.transport = FakeTransport()
        self.outbox = Outbox(self.transport, settings.max_queued_bytes)
        self.session = Session(hub, self.outbox, settings)
        self.now = 0.0
        self.closing: Any = None

    def send(self, message: object) -> None:
        """Receive a message (an object, or raw bytes) and write the answer, as a connection does."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        answer = self.session.receive(raw, self.now, 1_700_000_000_000)
        if answer.frames:
            self.outbox.write(b"".join(answer.frames))
        self.closing = answer.closing or self.closing

    def subscribe(self, *channels: str, **more: object) -> dict[str, Any]:
        self.send({"type": "subscribe", "data": {"channels": list(channels), **more}})
        return self.take()[0]

    def take(self) -> list[dict[str, Any]]:
        """Messages that came since the last take."""
        data = b"".join(self.transport.written)
        self.transport.written.clear()
        return [json.loads(payload) for payload in text_payloads(data)]


def text_payloads(data: bytes) -> Iterator[bytes]:
    """The payloads of a run of unmasked text frames."""
    at = 0
    while at < len(data):
        assert data[at] == 0x81, f"no text frame at {at}: {data[at : at + 20]!r}"
        size, at = data[at + 1], at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        yield data[at : at + size]
        at += size
    assert at == len(data), "the last frame is cut"


@pytest.fixture
def settings() -> GatewaySettings:
    return GatewaySettings()


@pytest.fixture
def hub() -> Hub:
    hub = Hub(catalogue.TOPICS, ring_records=100, ring_bytes=65_536, max_channels=1000)
    for topic in catalogue.TOPICS:
        hub.set_epoch(topic.name, "e1")
    return hub


@pytest.fixture
def new_client(hub: Hub, settings: GatewaySettings) -> Callable[[], FakeClient]:
    return lambda: FakeClient(hub, settings)


@pytest.fixture
def record() -> Callable[..., Record]:
    def make(
        offset: int,
        key: str | bytes | None = "BTC",
        value: bytes = b'{"n":1}',
        topic: str = "odin.trades",
        partition: int = 3,
    ) -> Record:
        raw = key.encode() if isinstance(key, str) else key
        return Record(topic, partition, offset, 1_700_000_000_000 + offset, raw, value)

    return make


@pytest.fixture
def clock(monkeypatch):
    """The time as gateway and connections see it; `clock.now` is set by the test."""
    clock = SimpleNamespace(now=1000.0)
    given = SimpleNamespace(monotonic=lambda: clock.now, time=lambda: 1_700_000_000.0)
    monkeypatch.setattr(connection_module, "time", given)
    monkeypatch.setattr(server_module, "time", given)
    monkeypatch.setattr(worker_module, "time", given)
    return clock
