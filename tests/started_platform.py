"""A whole platform for tests: all services of this checkout, in a home of their own and on free ports."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support import free_port

ROOT = Path(__file__).resolve().parents[1]
TASK_VARIABLES = (
    "FORMAT",
    "TIMEOUT",
    "YES",
    "SINCE",
    "TAIL",
    "FOLLOW",
    "GREP",
    "LEVEL",
    "TOPIC",
    "NUM",
    "FROM",
    "KEY",
)


@dataclass(frozen=True)
class StartedPlatform:
    """How to reach it: the environment that its commands need, and its ports."""

    environ: dict[str, str]
    gateway_port: int
    publisher_port: int

    def run(self, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout against this platform."""
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=seconds,
        )  # fmt: skip

    def odin(self, *words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run the command line of this interpreter."""
        return self.run(sys.executable, "-m", "odin_ws", *words, seconds=seconds)

    def here(self, text: str) -> str:
        """A text that names the default ports, with this platform's in their place."""
        return text.replace("3005", str(self.gateway_port)).replace("3006", str(self.publisher_port))


@contextlib.contextmanager
def started_platform(home: Path) -> Iterator[StartedPlatform]:
    """Start it, wait until healthy, and leave nothing behind."""
    gateway_port, publisher_port = free_port(), free_port()
    environ = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("ODIN_") and name not in TASK_VARIABLES
    }
    environ |= {
        "ODIN_HOME": str(home),
        "ODIN_GATEWAY_PORT": str(gateway_port),
        "ODIN_PUBLISHER_PORT": str(publisher_port),
        "NO_COLOR": "1",
    }
    platform = StartedPlatform(environ, gateway_port, publisher_port)
    try:
        up = platform.odin("local", "deploy", "setup")
        assert up.returncode == 0, up.stderr
        yield platform
    finally:
        platform.odin("local", "delete", "all", "--yes")
