"""The example `orders`, end to end: its topic, its lines, its client, on real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from odin_ws.config import load_config
from odin_ws.eventlog import open_log
from odin_ws.home import Home
from support import free_port, get, wait_until

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "orders"
ODIN = [sys.executable, "-m", "odin_ws"]


@pytest.fixture
def environ(home: Home) -> dict[str, str]:
    """The environment of all commands: the example's configuration, a free port; the topics are there."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ODIN_")}
    environ |= {"ODIN_HOME": str(home.root), "ODIN_CONFIG": str(EXAMPLE / "odin.toml")}
    environ |= {"ODIN_GATEWAY_PORT": str(free_port()), "PYTHONUNBUFFERED": "1"}
    settings = load_config(environ=environ).settings
    log = open_log(settings, home)
    log.create_topics(settings.all_topics())
    log.close()
    return environ


@pytest.fixture
def gateway_url(environ: dict[str, str]) -> Iterator[str]:
    address = f"127.0.0.1:{environ['ODIN_GATEWAY_PORT']}"
    process = subprocess.Popen([*ODIN, "serve", "gateway"], env=environ, stderr=subprocess.DEVNULL)
    wait_until(lambda: get(f"http://{address}/readyz")[0] == 200, "the gateway is ready")
    yield f"ws://{address}/ws"
    process.kill()
    process.wait(20)


def test_what_is_published_reaches_the_watcher_of_its_channel(
    environ: dict[str, str], gateway_url: str, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    with seen.open("wb") as output:
        watcher = subprocess.Popen(
            [sys.executable, str(EXAMPLE / "watch.py"), "--url", gateway_url, "1001.order", "1003.order"],
            env=environ,
            stdout=output,
        )
    try:
        sent = subprocess.run(
            [*ODIN, "publish", str(EXAMPLE / "orders.ndjson")],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert sent.returncode == 0, sent.stderr
        wait_until(lambda: seen.read_text().count("\n") >= 9, "nine events")
    finally:
        watcher.kill()
        watcher.wait(20)
    lines = seen.read_text().splitlines()
    steps = [line.split('"status": "')[1].split('"')[0] for line in lines if line.startswith("1001.order ")]
    assert steps == ["placed", "paid", "packed", "shipped", "delivered"]
    assert len([line for line in lines if line.startswith("1003.order ")]) == len(lines) - 5 == 4
