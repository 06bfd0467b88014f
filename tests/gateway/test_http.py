"""HTTP beside /ws: who may connect, and what the other paths answer."""

import json

import pytest

from odin_ws.gateway.http import origin_allowed, reply_to
from odin_ws.gateway.server import Gateway

UPGRADE = {"upgrade": "websocket", "host": "feed.example:3005"}


@pytest.fixture
def gateway(settings):
    return Gateway(settings, (), lambda: None)


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "let_in"),
    [
        (None, "x", (), True),
        ("http://localhost:5173", "feed.example", (), True),
        ("http://127.0.0.1", "feed.example", (), True),
        ("http://[::1]:80", "feed.example", (), True),
        ("https://feed.example", "feed.example:3005", (), True),
        ("https://evil.example", "feed.example", (), False),
        ("https://feed.example.evil.example", "feed.example", (), False),
        ("https://localhost.evil.example", "feed.example", (), False),
        ("null", "feed.example", (), False),
        ("", "feed.example", (), False),
        ("http://[broken", "feed.example", (), False),
        ("https://app.example", "feed.example", ("https://app.example",), True),
        ("http://app.example", "feed.example", ("https://app.example",), False),
        ("https://evil.example", "feed.example", ("*",), True),
    ],
)
def test_origin_rule(origin, host, allowed, let_in):
    assert origin_allowed(origin, host, allowed) is let_in


def test_a_plain_get_of_ws_is_told_to_upgrade(gateway):
    reply = reply_to("/ws", {}, gateway)
    assert reply.status == 426
    assert ("Upgrade", "websocket") in reply.headers


def test_a_foreign_origin_is_refused_and_no_origin_is_let_in(gateway):
    assert reply_to("/ws", {**UPGRADE, "origin": "https://evil.example"}, gateway).status == 403
    assert reply_to("/ws?x=1", UPGRADE, gateway) is None


def test_at_capacity_and_draining_say_when_to_come_back(gateway):
    gateway.connections.update(dict.fromkeys(range(gateway.settings.max_connections)))
    full = reply_to("/ws", UPGRADE, gateway)
    gateway.connections.clear()
    gateway.draining = True
    draining = reply_to("/ws", UPGRADE, gateway)
    for reply, refusal in ((full, "capacity"), (draining, "draining")):
        assert reply.status == 503
        assert ("Retry-After", "5") in reply.headers
        assert reply.refusal == refusal


def test_health_and_readiness_tell_that_there_is_no_feed_yet(gateway):
    assert reply_to("/livez", {}, gateway).status == 200
    ready = reply_to("/readyz", {}, gateway)
    assert ready.status == 503
    assert "log" in json.loads(ready.body)["failing"]
    assert reply_to("/health", {}, gateway).status == 503
    assert b"ws://h:1/ws" in reply_to("/", {"host": "h:1"}, gateway).body


def test_an_unknown_path_names_those_there_are(gateway):
    reply = reply_to("/healthz", {}, gateway)
    assert reply.status == 404
    assert b"/readyz" in reply.body
