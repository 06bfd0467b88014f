"""The gateway as a process: settings → startup → run → drain → gone.

`Gateway` owns the hub, the feed, the set of connections and what is done about them once a second
(pings, silence, slow consumers, unfinished closes). Signals arrive in `run`, and nowhere else.
"""

import asyncio
import contextlib
import gc
import itertools
import random
import secrets
import signal
import time
from collections.abc import Callable

import picows
import uvloop

from odin_ws.catalogue import Topic
from odin_ws.errors import ExitCode, OdinError
from odin_ws.eventlog import open_log
from odin_ws.eventlog.base import EventLog
from odin_ws.gateway.closing import Closing
from odin_ws.gateway.connection import Connection
from odin_ws.gateway.counts import GatewayCounts
from odin_ws.gateway.feed import Feed
from odin_ws.gateway.frames import json_frame
from odin_ws.gateway.health import Figures, failing_checks, feed_status
from odin_ws.gateway.http import Reply, reply_to
from odin_ws.gateway.hub import Hub
from odin_ws.gateway.metrics import registry_of
from odin_ws.gateway.protocol import welcome_frame
from odin_ws.gateway.vitals import Vitals
from odin_ws.home import Home
from odin_ws.settings import GatewaySettings, Settings
from odin_ws.structured_log import get_log, start_logging

_log = get_log(__name__)


class Gateway:
    """One worker: everything that is shared by its connections."""

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
        self.connections: dict[Connection, None] = {}
        self.slow: set[Connection] = set()
        self.ending: set[Connection] = set()
        self.draining = False
        self.registry = registry_of(self)
        self._welcome = welcome_frame(self.id, settings)
        self._told = "ok"
        self._all_gone = asyncio.Event()
        self._ping_slots = max(1, round(settings.ping_interval_seconds))

    # Life

    async def start(self) -> asyncio.Server:
        """Listen and follow the log. Raises OdinError when the port cannot be had."""
        settings = self.settings
        try:
            server = await picows.ws_create_server(
                self.accept,
                settings.host,
                settings.port,
                backlog=4096,
                websocket_handshake_timeout=settings.handshake_timeout_seconds,
                enable_auto_pong=True,
                max_frame_size=settings.max_message_bytes,
                read_buffer_init_size=2048,
                use_aiofastnet=False,
            )
        except OSError as error:
            raise OdinError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror}",
                remedy="see who holds the port with: ./task doctor, or set gateway.port",
                exit_code=ExitCode.START_FAILED,
            ) from None
        self.feed.start(asyncio.get_running_loop(), self.close_over_limit)
        return server

    async def look_after(self) -> None:
        """Once a second, for ever: pings, silence, slow consumers, unfinished closes, feed status."""
        for turn in itertools.count():
            await asyncio.sleep(self.settings.ping_interval_seconds / self._ping_slots)
            self.look_once(turn)

    def look_once(self, turn: int) -> None:
        """One turn of `look_after`; each connection is pinged in one of so many turns."""
        now = time.monotonic()
        self._check_lives(turn % self._ping_slots, now)
        self._end_overdue(now)
        self._tell_status()

    async def drain(self) -> None:
        """Send all clients away, spread over `drain_seconds`, after telling each when to come back."""
        self.draining = True
        self._tell_status()
        clients = list(self.connections)
        random.shuffle(clients)
        window_ms = self.settings.drain_seconds * 1000
        for index, connection in enumerate(clients):
            after_ms = round(window_ms * (index + 1) / len(clients))
            connection.outbox.write(json_frame({"type": "draining", "reconnect_after_ms": after_ms}))
        started = time.monotonic()
        for index, connection in enumerate(clients):
            delay = started + self.settings.drain_seconds * index / len(clients) - time.monotonic()
            if delay > 0.001:
                await asyncio.sleep(delay)
            if connection in self.connections:
                connection.close(Closing.DRAINING)
        if self.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), self.CLOSE_GRACE_SECONDS)

    # What connections tell

    def accept(self, request: picows.WSUpgradeRequest) -> Connection | picows.WSUpgradeResponseWithListener:
        """A request came: answer it over HTTP, or let it become a connection."""
        reply = reply_to(request.path.decode("latin-1"), request.headers, self)
        if reply is None:
            _one_connection_token(request)
            return Connection(self)
        if reply.refusal:
            self.counts.refused[reply.refusal] += 1
        return picows.WSUpgradeResponseWithListener(_response(reply), None)

    def opened(self, connection: Connection) -> None:
        """A connection is up."""
        self.connections[connection] = None
        connection.ping_slot = self.counts.connects % self._ping_slots
        self.counts.connects += 1
        connection.outbox.write(self._welcome)
        if self._told != "ok":
            connection.outbox.write(self._status_frame())

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.pop(connection, None)
        self.slow.discard(connection)
        self.ending.discard(connection)
        if self.draining and not self.connections:
            self._all_gone.set()
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

    def close_over_limit(self) -> None:
        """Close those for whom more waits than may; called after each tick, looks at the slow only."""
        for connection in [c for c in self.slow if c.closing is None and c.outbox.over_limit()]:
            _log.info("slow consumer", queued_bytes=connection.outbox.queued_bytes())
            connection.close(Closing.SLOW_CONSUMER)

    # Below: how

    def _check_lives(self, ping_slot: int, now: float) -> None:
        """Close the silent; ping those whose turn it is, so that pings spread over the interval."""
        silent_since = now - self.settings.silence_timeout_seconds
        silent = []
        for connection in self.connections:
            if connection.closing is not None:
                continue
            if connection.last_heard < silent_since:
                silent.append(connection)
            elif connection.ping_slot == ping_slot:
                connection.ping()
        for connection in silent:
            connection.close(Closing.SILENT)

    def _end_overdue(self, now: float) -> None:
        for connection in [c for c in self.ending if c.close_at <= now]:
            connection.abort()

    def _tell_status(self) -> None:
        status = feed_status(self.figures(), self.settings)
        if status == self._told:
            return
        self._told = status
        _log.info("feed status", status=status)
        frame = self._status_frame()
        for connection in self.connections:
            if connection.closing is None:
                connection.outbox.write(frame)

    def _status_frame(self) -> bytes:
        age = self.figures().age_seconds
        age_ms = None if age is None else round(age * 1000)
        return json_frame({"type": "status", "status": self._told, "age_ms": age_ms})


def run(settings: Settings, home: Home) -> None:
    """Run the gateway until SIGTERM or SIGINT, then drain. Raises OdinError when it cannot start."""
    start_logging("ws")
    topics = settings.all_topics()
    gateway = Gateway(settings.gateway, topics, lambda: open_log(settings, home, create=False))
    uvloop.run(_main(gateway))


async def _main(gateway: Gateway) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = await gateway.start()
    tasks = [loop.create_task(gateway.look_after()), loop.create_task(gateway.vitals.run())]
    gc.collect()
    gc.freeze()
    _log.info("listening", host=gateway.settings.host, port=gateway.settings.port, server_id=gateway.id)
    await stopping.wait()
    _log.info("draining", connections=len(gateway.connections))
    await gateway.drain()
    gateway.feed.stop()
    server.close()
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    _log.info("stopped", connects=gateway.counts.connects, deliveries=gateway.hub.counts.deliveries)


def _one_connection_token(request: picows.WSUpgradeRequest) -> None:
    """Reduce `Connection: keep-alive, Upgrade` (as some browsers send) to what picows looks for."""
    tokens = [token.strip().lower() for token in request.headers.get("connection", "").split(",")]
    if len(tokens) > 1 and "upgrade" in tokens:
        request.headers["connection"] = "upgrade"


def _response(reply: Reply) -> picows.WSUpgradeResponse:
    response = picows.WSUpgradeResponse.create_ok_response(
        reply.body,
        [
            ("Content-Type", reply.content_type),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *reply.headers,
        ],
    )
    response.status = reply.status
    return response  # type: ignore[no-any-return]
