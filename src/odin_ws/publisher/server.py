"""The publisher as a process: settings → startup → run → gone.

Owns the listening socket, the HTTP server and the `Publisher`; signals arrive here and nowhere else. The
event log may be missing at the start: the publisher reports itself disconnected and goes on trying.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
import uvloop
from fastapi import FastAPI

from odin_ws.errors import ExitCode, OdinError
from odin_ws.eventlog import open_log
from odin_ws.home import Home
from odin_ws.publisher.api import create_app
from odin_ws.publisher.engine import Publisher
from odin_ws.settings import Settings
from odin_ws.structured_log import get_log, start_logging

_log = get_log(__name__)

#: How long an open request may take to end after SIGTERM, in seconds.
GRACE_SECONDS = 1


def run(settings: Settings, home: Home) -> None:
    """Run the publisher until SIGTERM or SIGINT. Raises OdinError when it cannot start or go on."""
    start_logging("publisher")
    uvloop.run(_main(settings, home))


async def _main(settings: Settings, home: Home) -> None:
    own = settings.publisher
    stopping, failed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    listener = listen(own.host, own.port)

    def fail() -> None:
        loop.call_soon_threadsafe(_set, failed, stopping)

    publisher = Publisher(lambda: open_log(settings, home), own, fail)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = _Server(create_app(publisher, own))
    serving = loop.create_task(server.serve([listener]))
    publisher.launch()
    if own.autostart:
        await asyncio.to_thread(publisher.start, own.rate, own.tokens, own.seed)
    _log.info("listening", host=own.host, port=own.port)

    await stopping.wait()
    ended = await asyncio.to_thread(publisher.close)
    server.should_exit = True
    await serving
    _log.info("stopped", in_time=ended)
    if failed.is_set():
        raise OdinError("the publisher's thread failed; its log has the traceback")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OdinError when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise OdinError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            remedy="see who holds the port with: ./odin doctor, or set publisher.port",
            exit_code=ExitCode.START_FAILED,
        ) from None
    return listener


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, so that a SIGTERM ends in exit code 0."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the loop's handlers."""
        yield


def _set(*events: asyncio.Event) -> None:
    for event in events:
        event.set()
