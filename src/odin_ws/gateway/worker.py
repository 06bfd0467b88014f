"""What one worker holds: hub, feed, counts and the set of its connections; and what it knows of itself.

Connections, the HTTP answers and the metrics read and change this and know nothing of the server, which
listens and takes care of the connections (server.py).
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from prometheus_client import CollectorRegistry

from odin_ws.catalogue import Topic
from odin_ws.eventlog.base import EventLog
from odin_ws.gateway.closing import Closing
from odin_ws.gateway.counts import GatewayCounts
from odin_ws.gateway.feed import Feed
from odin_ws.gateway.frames import json_frame
from odin_ws.gateway.health import Figures, failing_checks
from odin_ws.gateway.hub import Hub
from odin_ws.gateway.outbox import Outbox
from odin_ws.gateway.protocol import welcome_frame
from odin_ws.gateway.vitals import Vitals
from odin_ws.settings import GatewaySettings


class Client(Protocol):
    """A connection as the worker sees it; times are of the monotonic clock, in seconds."""

    outbox: Outbox
    closing: Closing | None
    close_at: float
    last_heard: float
    ping_slot: int

    def ping(self) -> None:
        """Ask for a sign of life."""
        ...

    def close(self, closing: Closing) -> None:
        """Say why and stop sending events."""
        ...

    def abort(self) -> None:
        """Drop the socket now."""
        ...


class Worker:
    """Everything that is shared by the connections of one worker."""

    #: How long a client may take to answer a close before the socket is dropped, in seconds.
    CLOSE_GRACE_SECONDS = 5.0

    def __init__(
        self, settings: GatewaySettings, topics: tuple[Topic, ...], open_log: Callable[[], EventLog]
    ) -> None:
        self.settings = settings
        self.id = secrets.token_hex(4)
        self.hub = Hub(
            topics,
            ring_records=settings.ring_records if settings.ring_bytes else 0,
            ring_bytes=settings.ring_bytes,
            max_channels=settings.max_channels,
        )
        self.counts = GatewayCounts()
        self.feed = Feed(
            open_log,
            tuple(topic.name for topic in topics),
            self.hub,
            self.counts.latency,
            warm_seconds=settings.warm_seconds,
            tick_ms=settings.tick_ms,
        )
        self.vitals = Vitals()
        self.connections: dict[Client, None] = {}
        self.slow: set[Client] = set()
        self.ending: set[Client] = set()
        self.draining = False
        self.registry = CollectorRegistry()
        self._welcome = welcome_frame(self.id, settings)
        self.told = "ok"
        self.all_gone = asyncio.Event()
        self.ping_slots = max(1, round(settings.ping_interval_seconds))

    def opened(self, connection: Client) -> None:
        """A connection is up."""
        self.connections[connection] = None
        connection.ping_slot = self.counts.connects % self.ping_slots
        self.counts.connects += 1
        connection.outbox.write(self._welcome)
        if self.told != "ok":
            connection.outbox.write(self.status_frame())

    def closed(self, connection: Client) -> None:
        """A connection is gone."""
        self.connections.pop(connection, None)
        self.slow.discard(connection)
        self.ending.discard(connection)
        if self.draining and not self.connections:
            self.all_gone.set()
        self.counts.closes[connection.closing.label if connection.closing else "lost"] += 1

    # Figures

    def figures(self) -> Figures:
        """What health and metrics are made of, as of now."""
        feed, now = self.feed.state, time.monotonic()
        behind = feed.lag_records > 0 and feed.last_timestamp_ms > 0
        return Figures(
            log_connected=feed.connected,
            log_problem=feed.problem,
            missing_topics=feed.missing_topics,
            seconds_since_poll=now - (feed.last_poll or self.vitals.started),
            lag_records=feed.lag_records,
            lag_seconds=max(0.0, time.time() - feed.last_timestamp_ms / 1000) if behind else 0.0,
            age_seconds=now - feed.last_record if feed.last_record else None,
            connections=len(self.connections),
            cpu_percent=self.vitals.cpu_percent,
            memory_bytes=self.vitals.memory_bytes,
            memory_limit_bytes=self.vitals.memory_limit_bytes,
            loop_lag_ms=self.vitals.loop_lag_ms,
            draining=self.draining,
            uptime_seconds=self.vitals.uptime_seconds,
        )

    def failing_checks(self) -> dict[str, str]:
        """What keeps the gateway from being ready; empty when it is."""
        return failing_checks(self.figures(), self.settings)

    def queued_bytes(self) -> int:
        """Bytes that wait for slow connections in this process."""
        return sum(connection.outbox.queued_bytes() for connection in self.slow)

    def status_frame(self) -> bytes:
        """The feed's state as clients are told it."""
        age = self.figures().age_seconds
        age_ms = None if age is None else round(age * 1000)
        return json_frame({"type": "status", "status": self.told, "age_ms": age_ms})
