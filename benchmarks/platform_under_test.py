"""What the benchmarks share: services as processes on free ports with a home of their own, raw clients.

Not a benchmark itself. Clients are plain sockets without a WebSocket library, so that the receiver costs
little and what is measured is the platform.
"""

import os
import select
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

from odin_ws.config import load_config
from odin_ws.eventlog import open_log
from odin_ws.home import Home

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Platform:
    """A fresh event log with its keeper, and services started on demand; `stop` ends them by their pids."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root).create()
        self.settings = load_config(environ={}).settings
        self.log = open_log(self.settings, self.home)
        self.log.create_topics(self.settings.all_topics())
        self._started: list[subprocess.Popen[bytes]] = []
        self._launch("log", {})

    def start(self, service: str, ready_path: str, **settings: object) -> "Service":
        """Start `odin serve <service>` on a free port and wait until `ready_path` answers 200."""
        port = free_port()
        running = Service(self._launch(service, {"port": port, **settings}), port)
        running.wait(ready_path)
        return running

    def _launch(self, service: str, settings: dict[str, object]) -> int:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ODIN_")}
        environ["ODIN_HOME"] = str(self.home.root)
        for name, value in settings.items():
            environ[f"ODIN_{service.upper()}_{name.upper()}"] = str(value)
        command = [sys.executable, "-m", "odin_ws", "serve", service]
        process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
        self._started.append(process)
        return process.pid

    def stop(self) -> None:
        """End all services and close the log."""
        for process in self._started:
            process.kill()
            process.wait()
        self.log.close()


class Service:
    """A running service: its port, CPU and memory."""

    def __init__(self, pid: int, port: int) -> None:
        self.port = port
        self._stats = psutil.Process(pid)

    def wait(self, path: str) -> None:
        """Wait until GET `path` answers 200."""
        for _ in range(400):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{path} on port {self.port} did not become ready")

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        times = self._stats.cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """Resident memory."""
        return int(self._stats.memory_info().rss)


class Receiver:
    """Reads many sockets through epoll and hands each piece of data on."""

    def __init__(self, clients: list[socket.socket], on_data: Callable[[int, memoryview], None]) -> None:
        self._poll = select.epoll()
        self._by_fd = {client.fileno(): client for client in clients}
        self._buffer = bytearray(1 << 20)
        self._on_data = on_data
        for client in clients:
            client.setblocking(False)
            self._poll.register(client.fileno(), select.EPOLLIN)

    def drain(self, seconds: float) -> None:
        """Read for so long."""
        deadline = time.monotonic() + seconds
        view = memoryview(self._buffer)
        while (left := deadline - time.monotonic()) > 0:
            for fd, _ in self._poll.poll(left):
                size = self._by_fd[fd].recv_into(self._buffer)
                self._on_data(fd, view[:size])


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_connections(port: int, count: int) -> list[socket.socket]:
    """Upgraded sockets, their welcome read; 20,000 a source address of the loopback range."""
    clients = []
    for number in range(count):
        client = socket.socket()
        client.bind((f"127.0.0.{2 + number // 20_000}", 0))
        client.connect(("127.0.0.1", port))
        client.sendall(UPGRADE)
        data = b""
        while b'"welcome"' not in data:
            data += client.recv(4096)
        clients.append(client)
    return clients


def send_text(client: socket.socket, payload: bytes) -> None:
    """A text frame, masked with zeros (so its payload goes as it is)."""
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    client.sendall(head + b"\0\0\0\0" + payload)
