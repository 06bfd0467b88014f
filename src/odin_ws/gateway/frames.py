"""Server-to-client WebSocket frames as bytes (RFC 6455, 5.2): never masked, never fragmented."""

import json
from typing import Any

PING = b"\x89\x00"


def text_frame(payload: bytes) -> bytes:
    """`payload` (UTF-8) as one final text frame."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def json_frame(message: dict[str, Any]) -> bytes:
    """A message as a text frame of compact JSON."""
    return text_frame(json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode())


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut at 123 bytes, the limit of a control frame."""
    body = code.to_bytes(2, "big") + reason.encode()[:123]
    return b"\x88%c%b" % (len(body), body)
