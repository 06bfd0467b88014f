"""The gateway as a process: settings → startup → run → drain → gone.

`Gateway` adds to what a worker holds (worker.py) the port, and what is done about its connections once a
second: pings, silence, slow consumers, unfinished closes. Signals arrive in `run`, and nowhere else.
"""

import asyncio
import contextlib
import gc
import itertools
import random
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
from odin_ws.gateway.frames import json_frame
from odin_ws.gateway.health import feed_status
from odin_ws.gateway.http import Reply, reply_to
from odin_ws.gateway.metrics import GatewayCollector
from odin_ws.gateway.worker import Worker
from odin_ws.home import Home
from odin_ws.settings import GatewaySettings, Settings
from odin_ws.structured_log import get_log, start_logging

_log = get_log(__name__)


class Gateway(Worker):
    """A worker that listens: requests in, connections cared for until they end."""

    def __init__(
        self, settings: GatewaySettings, topics: tuple[Topic, ...], open_log: Callable[[], EventLog]
    ) -> None:
        super().__init__(settings, topics, open_log)
        self.registry.register(GatewayCollector(self))

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
                remedy="see who holds the port with: ./odin doctor, or set gateway.port",
                exit_code=ExitCode.START_FAILED,
            ) from None
        self.feed.start(asyncio.get_running_loop(), self.close_over_limit)
        return server

    async def look_after(self) -> None:
        """Once a second, for ever: pings, silence, slow consumers, unfinished closes, feed status."""
        for turn in itertools.count():
            await asyncio.sleep(self.settings.ping_interval_seconds / self.ping_slots)
            self.look_once(turn)

    def look_once(self, turn: int) -> None:
        """One turn of `look_after`; each connection is pinged in one of so many turns."""
        now = time.monotonic()
        self._check_lives(turn % self.ping_slots, now)
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
                await asyncio.wait_for(self.all_gone.wait(), self.CLOSE_GRACE_SECONDS)

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

    # Care

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
        if status == self.told:
            return
        self.told = status
        _log.info("feed status", status=status)
        frame = self.status_frame()
        for connection in self.connections:
            if connection.closing is None:
                connection.outbox.write(frame)


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
