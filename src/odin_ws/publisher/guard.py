"""Keeps web pages of other sites away from the control API, which knows no passwords.

A browser lets any page send a simple POST to 127.0.0.1, so a request that changes something must come
from no page at all, from a page of loopback, or from one of the host that is served; and a body must say
that it is JSON, which no page of another site may send unasked. Pure checks, and an ASGI layer over them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

#: Far more than the longest list of tokens takes.
MAX_BODY_BYTES = 4_194_304

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SAFE = ("GET", "HEAD", "OPTIONS")


class Guard:
    """ASGI layer that answers a request `refusal` objects to, and passes the rest on.

    Args:
        app: what is guarded.
        host: the address that is listened on; on loopback no other name counts as the same host.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        refused = None
        if scope["type"] == "http":
            refused = refusal(scope["method"], Headers(scope=scope), self._host)
        if refused is None:
            await self._app(scope, receive, send)
            return
        status, reason = refused
        await JSONResponse({"error": reason}, status)(scope, receive, send)


def refusal(method: str, headers: Mapping[str, str], host: str) -> tuple[HTTPStatus, str] | None:
    """Why a request may not pass, or None when it may. Header names are lower case."""
    if method in _SAFE:
        return None
    origin = headers.get("origin")
    if origin is not None and not _is_own(origin, headers.get("host", ""), host):
        return HTTPStatus.FORBIDDEN, f"requests from pages of {origin} are not allowed; use loopback"
    if "transfer-encoding" in headers:
        return HTTPStatus.LENGTH_REQUIRED, "send the body with Content-Length, not in chunks"
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than {MAX_BODY_BYTES} bytes"
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if length != "0" and kind != "application/json":
        return (
            HTTPStatus.BAD_REQUEST,
            "the body must be JSON with the header Content-Type: application/json, "
            f"not {kind or 'without one'}",
        )
    return None


def _is_own(origin: str, host_header: str, listening_on: str) -> bool:
    try:
        name = urlsplit(origin).hostname
        served = urlsplit(f"//{host_header}").hostname
    except ValueError:
        return False
    if name in LOOPBACK:
        return True
    return name is not None and name == served and listening_on not in LOOPBACK
