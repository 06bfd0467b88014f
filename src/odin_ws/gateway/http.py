"""What the port answers before a connection is a WebSocket: health, metrics, the page, and refusals.

Pure but for the worker it reads: a path and headers in, a `Reply` out, or None when the request may
become a connection. picows parses requests: GET with HTTP/1.1 and no body, anything else is a 400.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from odin_ws import __version__
from odin_ws.gateway.health import health_document
from odin_ws.gateway.metrics import CONTENT_TYPE, exposition
from odin_ws.gateway.worker import Worker

PATHS = ("/ws", "/livez", "/readyz", "/health", "/metrics", "/")
_HANDSHAKE = ("sec-websocket-key", "sec-websocket-version")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Reply(NamedTuple):
    """An HTTP response; `refusal` is a metric label when a would-be connection was turned away."""

    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    refusal: str = ""


def reply_to(target: str, headers: Mapping[str, str], worker: Worker) -> Reply | None:
    """The answer to a request, or None when it may upgrade."""
    path = target.partition("?")[0]
    if path == "/ws":
        return _refusal(headers, worker)
    if path == "/livez":
        return _json(HTTPStatus.OK, {"status": "alive"})
    if path == "/readyz":
        return _readiness(worker)
    if path == "/health":
        document = health_document(worker.figures(), worker.settings)
        bad = document["status"] == "unhealthy"
        return _json(HTTPStatus.SERVICE_UNAVAILABLE if bad else HTTPStatus.OK, document)
    if path == "/metrics":
        return Reply(HTTPStatus.OK, exposition(worker.registry), CONTENT_TYPE)
    if path == "/":
        return Reply(HTTPStatus.OK, _index(headers).encode(), "text/plain; charset=utf-8")
    return _json(HTTPStatus.NOT_FOUND, {"error": f"no such path; there are {', '.join(PATHS)}"})


def origin_allowed(origin: str | None, host: str | None, allowed: tuple[str, ...]) -> bool:
    """Whether a browser's origin may connect: none given, same host, loopback, or one of `allowed`.

    Args:
        origin: the Origin header; None when there is none (not a browser).
        host: the Host header, with or without a port.
        allowed: `scheme://host[:port]` values; `*` allows every origin.
    """
    if origin is None or "*" in allowed or origin in allowed:
        return True
    try:
        name = urlsplit(origin).hostname
        own = urlsplit(f"//{host or ''}").hostname
    except ValueError:
        return False
    return name is not None and (name in _LOOPBACK or name == own)


def _refusal(headers: Mapping[str, str], worker: Worker) -> Reply | None:
    settings = worker.settings
    if headers.get("upgrade", "").lower() != "websocket":
        error = {"error": "/ws speaks WebSocket; connect with ws://, or see /health"}
        return _json(HTTPStatus.UPGRADE_REQUIRED, error, ("Upgrade", "websocket"))
    if not all(headers.get(name, "").isascii() for name in ("connection", *_HANDSHAKE)):
        return _json(HTTPStatus.BAD_REQUEST, {"error": f"{', '.join(_HANDSHAKE)} must be ASCII"})
    if not origin_allowed(headers.get("origin"), headers.get("host"), settings.allowed_origins):
        error = {"error": "this origin is not allowed; add it to gateway.allowed_origins"}
        return _json(HTTPStatus.FORBIDDEN, error, refusal="origin")
    retry = ("Retry-After", str(settings.retry_after_seconds))
    if worker.draining:
        return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "draining"}, retry, refusal="draining")
    if settings.max_connections and len(worker.connections) >= settings.max_connections:
        error = {"error": f"at capacity: {settings.max_connections} connections"}
        return _json(HTTPStatus.SERVICE_UNAVAILABLE, error, retry, refusal="capacity")
    return None


def _readiness(worker: Worker) -> Reply:
    failing = worker.failing_checks()
    if failing:
        return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not ready", "failing": failing})
    return _json(HTTPStatus.OK, {"status": "ready"})


def _json(status: HTTPStatus, body: object, *headers: tuple[str, str], refusal: str = "") -> Reply:
    return Reply(status, json.dumps(body).encode(), headers=headers, refusal=refusal)


def _index(headers: Mapping[str, str]) -> str:
    host = headers.get("host", "127.0.0.1")
    return (
        f"odin-ws gateway {__version__}\n\n"
        f"  ws://{host}/ws          events: send "
        '{"type":"subscribe","data":{"channels":["BTC.trade"]}}\n'
        f"  http://{host}/health    state as JSON; /livez and /readyz for orchestrators\n"
        f"  http://{host}/metrics   Prometheus\n"
    )
