"""Asks one service how it is, as its clients would: through its port or its file.

A probe takes settings, home and a deadline in seconds and returns an `Outcome`; it never raises. Each row of
the table of services names its probe. Standard library HTTP, because a status command must start fast.
"""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from odin_ws.home import Home
from odin_ws.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """What a probe found.

    Args:
        ok: whether the service can do its work.
        summary: one line for people: figures when it is well, the reason when it is not.
        details: everything it said, for `health detailed` and programs.
        latency_ms: how long the answer took.
    """

    ok: bool
    summary: str
    details: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: float = 0.0


Probe = Callable[[Settings, Home, float], Outcome]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status 0 means there was none, and `body` says why."""

    status: int
    body: str
    latency_ms: float = 0.0

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def probe_publisher(settings: Settings, home: Home, timeout_seconds: float) -> Outcome:
    """The control API answers and its publisher is connected to the log."""
    answer = get(settings.publisher.host, settings.publisher.port, "/health", timeout_seconds)
    if answer.status != 200:
        return Outcome(False, _refusal(answer, "/health"), answer.json(), answer.latency_ms)
    health = answer.json()
    summary = f"simulator {health.get('simulator', '?')}, {_number(health.get('currentRate', 0))} events/s"
    if health.get("publisher") != "connected":
        return Outcome(False, "not connected to the log", health, answer.latency_ms)
    return Outcome(True, summary, health, answer.latency_ms)


def probe_gateway(settings: Settings, home: Home, timeout_seconds: float) -> Outcome:
    """`/readyz` decides; `/health` adds the figures."""
    host, port = settings.gateway.host, settings.gateway.port
    deadline = time.monotonic() + timeout_seconds
    ready = get(host, port, "/readyz", timeout_seconds)
    if ready.status == 0:
        return Outcome(False, _refusal(ready, "/readyz"), {}, ready.latency_ms)
    answer = get(host, port, "/health", max(0.05, deadline - time.monotonic()))
    health = answer.json()
    if ready.status != 200:
        return Outcome(False, _refusal(ready, "/readyz"), health, ready.latency_ms)
    if answer.status != 200:
        return Outcome(False, _refusal(answer, "/health"), health, answer.latency_ms)
    return Outcome(True, _gateway_summary(health), health, ready.latency_ms)


def probe_embedded_log(settings: Settings, home: Home, timeout_seconds: float) -> Outcome:
    """The log's own check: writable, readable, topics there, disk left."""
    from odin_ws.eventlog.probe import probe_log

    began = time.monotonic()
    found = probe_log(settings, home)
    latency_ms = (time.monotonic() - began) * 1000
    summary = "; ".join(found.problems) or (
        f"{len(found.topics_present)} topics, {found.records_retained} records, "
        f"{(found.file_bytes + found.wal_bytes) / 1e6:.1f} MB, {found.free_disk_bytes / 1e9:.0f} GB free"
    )
    return Outcome(not found.problems, summary, asdict(found), latency_ms)


def get(host: str, port: int, path: str, timeout_seconds: float) -> Answer:
    """GET a path; what prevents an answer becomes status 0 and a reason in words."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(_connectable(host), port, timeout=timeout_seconds)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read(4_000_000).decode(errors="replace")
        return Answer(response.status, body, (time.monotonic() - began) * 1000)
    except ConnectionRefusedError:
        return Answer(0, f"nobody listens on {host}:{port}")
    except TimeoutError:
        return Answer(0, f"no answer from {host}:{port} within {timeout_seconds:g} s")
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, f"{host}:{port}: {error or type(error).__name__}")
    finally:
        connection.close()


def _connectable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)


def _refusal(answer: Answer, path: str) -> str:
    if answer.status == 0:
        return answer.body
    said = answer.json()
    what = _reasons(said) or answer.body.strip().split("\n")[0][:120]
    return f"{path} answers {answer.status}" + (f" ({what})" if what else "")


def _reasons(said: Mapping[str, Any]) -> str:
    """Why it is not well, as /readyz (`failing`) and /health (`reasons`) tell it."""
    if isinstance(failing := said.get("failing"), dict):
        return "; ".join(f"{name}: {reason}" for name, reason in failing.items())
    return "; ".join(map(str, said.get("reasons") or ()))


def _gateway_summary(health: Mapping[str, Any]) -> str:
    checks = health.get("checks", {})
    clients = checks.get("capacity", {}).get("current", 0)
    lag = checks.get("feed", {}).get("lag_records", 0)
    if health.get("status") == "degraded":
        return f"degraded: {_reasons(health)}"
    return f"{clients} client{'' if clients == 1 else 's'}, lag {lag} record{'' if lag == 1 else 's'}"


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
