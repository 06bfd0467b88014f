"""Real processes on free ports and homes of their own; each is ended by its recorded pid."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from odin_ws.config import load_config
from odin_ws.eventlog import open_log
from odin_ws.eventlog.base import EventLog
from odin_ws.home import Home
from support import free_port, get, wait_until


@dataclass
class RunningGateway:
    """A gateway process; its event log can be opened beside it."""

    process: subprocess.Popen[bytes]
    port: int
    home: Home
    log_file: Path

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def get(self, path: str) -> tuple[int, Any]:
        return get(f"http://127.0.0.1:{self.port}{path}")

    def metric(self, name: str) -> float:
        """A counter or gauge without labels."""
        _, text = self.get("/metrics")
        line = next(line for line in text.splitlines() if line.split(" ")[0].split("{")[0] == name)
        return float(line.rsplit(" ", 1)[1])

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "odin").create()


@pytest.fixture
def event_log(home: Home) -> Iterator[EventLog]:
    """The embedded log of `home`, with the catalogue's topics."""
    settings = load_config(environ={}, start=home.root).settings
    log = open_log(settings, home)
    log.create_topics(settings.all_topics())
    yield log
    log.close()


@pytest.fixture
def start_gateway(home: Home, event_log: EventLog) -> Iterator[Callable[..., RunningGateway]]:
    """Starts `odin serve gateway` with settings given as keywords (gateway.<name>) and waits for it."""
    started: list[RunningGateway] = []

    def start(ready: bool = True, **settings: object) -> RunningGateway:
        port = free_port()
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ODIN_")}
        environ |= {"ODIN_HOME": str(home.root), "ODIN_GATEWAY_PORT": str(port)}
        environ |= {f"ODIN_GATEWAY_{name.upper()}": str(value) for name, value in settings.items()}
        log_file = home.logs / f"gateway-{port}.log"
        with log_file.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "odin_ws", "serve", "gateway"],
                env=environ,
                cwd=home.root,
                stderr=output,
                stdout=output,
            )
        gateway = RunningGateway(process, port, home, log_file)
        started.append(gateway)
        wait_until(lambda: gateway.get("/readyz" if ready else "/livez")[0] == 200, "the gateway is up")
        return gateway

    yield start
    for gateway in started:
        gateway.process.terminate()
        try:
            gateway.process.wait(15)
        except subprocess.TimeoutExpired:
            gateway.process.kill()
            gateway.process.wait(5)
