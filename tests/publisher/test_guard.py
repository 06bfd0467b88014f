"""Which requests the guard lets through, and what it says to the others."""

import pytest

from odin_ws.publisher.guard import MAX_BODY_BYTES, refusal

JSON = {"content-type": "application/json", "content-length": "2"}


@pytest.mark.parametrize(
    ("origin", "host_header", "listening_on", "passes"),
    [
        (None, "127.0.0.1:3006", "127.0.0.1", True),
        ("http://localhost:3005", "127.0.0.1:3006", "127.0.0.1", True),
        ("http://127.0.0.1:3006", "127.0.0.1:3006", "127.0.0.1", True),
        ("http://[::1]:3006", "[::1]:3006", "::1", True),
        ("https://evil.example", "127.0.0.1:3006", "127.0.0.1", False),
        ("https://localhost.evil.example", "127.0.0.1:3006", "127.0.0.1", False),
        ("null", "127.0.0.1:3006", "127.0.0.1", False),
        ("", "127.0.0.1:3006", "127.0.0.1", False),
        ("http://[bad", "127.0.0.1:3006", "127.0.0.1", False),
        # A name that was made to point at loopback (DNS rebinding) is not the same host there.
        ("http://evil.example:3006", "evil.example:3006", "127.0.0.1", False),
        ("http://vm.example:3006", "vm.example:3006", "0.0.0.0", True),
        ("http://other.example", "vm.example:3006", "0.0.0.0", False),
    ],
)
def test_origin(origin: str | None, host_header: str, listening_on: str, passes: bool) -> None:
    headers = {"host": host_header} | ({} if origin is None else {"origin": origin})
    refused = refusal("POST", headers, listening_on)
    assert (refused is None) == passes
    if refused:
        assert refused[0] == 403


def test_a_body_of_unknown_length_is_refused() -> None:
    refused = refusal("POST", {"content-type": "application/json", "transfer-encoding": "chunked"}, "::1")
    assert refused is not None
    assert refused[0] == 411


def test_a_body_that_is_too_long_is_refused_before_it_is_read() -> None:
    refused = refusal("POST", {**JSON, "content-length": str(MAX_BODY_BYTES + 1)}, "127.0.0.1")
    assert refused is not None
    assert refused[0] == 413
    assert refusal("POST", {**JSON, "content-length": str(MAX_BODY_BYTES)}, "127.0.0.1") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_free(method: str) -> None:
    assert refusal(method, {"origin": "https://evil.example"}, "127.0.0.1") is None


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"content-length": "0"}, True),
        (JSON, True),
        ({**JSON, "content-type": "application/json; charset=utf-8"}, True),
        ({**JSON, "content-type": "Application/JSON"}, True),
        ({**JSON, "content-type": "text/plain"}, False),
        ({**JSON, "content-type": "application/x-www-form-urlencoded"}, False),
        ({"content-length": "2"}, False),
    ],
)
def test_a_body_must_be_json(headers: dict[str, str], passes: bool) -> None:
    refused = refusal("POST", headers, "127.0.0.1")
    assert (refused is None) == passes
    if refused:
        assert refused[0] == 400
        assert "application/json" in refused[1]
