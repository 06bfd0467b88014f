"""A connection without a socket: frames in, bytes out, and exactly one closing handshake."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picows import WSMsgType

from gateway.fake_socket import Frame, connect
from odin_ws import catalogue
from odin_ws.gateway import connection as connection_module
from odin_ws.gateway import server as server_module
from odin_ws.gateway.server import Gateway
from odin_ws.settings import GatewaySettings

SUBSCRIBE = json.dumps({"type": "subscribe", "data": {"channels": ["BTC.trade"]}}).encode()
HEARTBEAT = b'{"type":"heartbeat"}'


@pytest.fixture
def gateway():
    return Gateway(GatewaySettings(max_message_bytes=1024), catalogue.TOPICS, lambda: None)


@pytest.fixture
def client(gateway):
    """A connection that has been greeted, with its socket."""
    connection, socket = connect(gateway)
    socket.take()
    return connection, socket


def receive(connection, socket, *frames):
    for frame in frames:
        connection.on_ws_frame(socket, frame)


def text(payload, fin=True):
    return Frame(WSMsgType.TEXT, payload, fin)


def more(payload, fin=False):
    return Frame(WSMsgType.CONTINUATION, payload, fin)


def closes(socket):
    return [content for kind, content in socket.take() if kind == "close"]


def publish(gateway, record, offset):
    gateway.hub.publish([record(offset)])
    gateway.hub.flush()


def test_a_new_connection_is_greeted_and_belongs_to_the_gateway(gateway):
    connection, socket = connect(gateway)
    (welcome, *_) = socket.messages()
    assert (welcome["type"], welcome["server"]) == ("welcome", gateway.id)
    assert connection in gateway.connections
    assert socket.high_water == connection_module.HIGH_WATER_BYTES


def test_a_text_message_is_answered_and_counted(gateway, client):
    connection, socket = client
    receive(connection, socket, text(SUBSCRIBE))
    (ack,) = socket.messages()
    assert (ack["type"], ack["subscribed"]) == ("subscription_ack", ["BTC.trade"])
    assert gateway.counts.messages == 1


@given(st.lists(st.integers(0, len(SUBSCRIBE)), max_size=5))
def test_a_message_in_fragments_is_one_message_wherever_it_is_cut(cuts):
    gateway = Gateway(GatewaySettings(), catalogue.TOPICS, lambda: None)
    connection, socket = connect(gateway)
    socket.take()
    edges = [0, *sorted(cuts), len(SUBSCRIBE)]
    parts = [SUBSCRIBE[start:end] for start, end in pairwise(edges)]
    last = len(parts) - 1
    for index, part in enumerate(parts):
        kind = WSMsgType.CONTINUATION if index else WSMsgType.TEXT
        receive(connection, socket, Frame(kind, part, index == last), Frame(WSMsgType.PONG))
    assert [message["type"] for message in socket.messages()] == ["subscription_ack"]
    assert gateway.counts.messages == 1


def test_after_a_message_in_fragments_comes_the_next_one(client):
    connection, socket = client
    receive(
        connection, socket, text(HEARTBEAT[:5], fin=False), more(HEARTBEAT[5:], fin=True), text(HEARTBEAT)
    )
    assert [message["type"] for message in socket.messages()] == ["pong", "pong"]


def test_fragments_that_are_too_long_together_close_with_1009(client):
    connection, socket = client
    receive(connection, socket, text(b"x" * 1024, fin=False))
    assert socket.take() == []
    receive(connection, socket, more(b"x"))
    assert [code for code, _ in closes(socket)] == [1009]


@pytest.mark.parametrize("fin", [True, False])
def test_a_binary_frame_closes_with_1003(client, fin):
    connection, socket = client
    receive(connection, socket, Frame(WSMsgType.BINARY, b"x", fin))
    ((code, reason),) = closes(socket)
    assert code == 1003
    assert "text frames" in reason


@pytest.mark.parametrize(
    "frames",
    [[more(HEARTBEAT, fin=True)], [more(HEARTBEAT)], [text(b"{", fin=False), text(HEARTBEAT)]],
    ids=["an end without a begin", "a middle without a begin", "a message inside another"],
)
def test_fragments_out_of_place_close_with_1002(client, frames):
    connection, socket = client
    receive(connection, socket, *frames)
    assert [code for code, _ in closes(socket)] == [1002]


def test_text_that_is_not_utf8_closes_with_1007(client):
    connection, socket = client
    receive(connection, socket, text(b'{"type":"\xff"}'))
    assert [code for code, _ in closes(socket)] == [1007]


@pytest.mark.parametrize("kind", [WSMsgType.PING, WSMsgType.PONG])
def test_pings_and_pongs_are_signs_of_life_and_no_messages(gateway, clock, kind):
    connection, socket = connect(gateway)
    socket.take()
    clock.now = 1030.0
    receive(connection, socket, Frame(kind, b"x"))
    assert connection.last_heard == 1030.0
    assert socket.take() == []
    assert gateway.counts.messages == 0


def test_a_ping_asks_for_a_sign_of_life(client):
    connection, socket = client
    connection.ping()
    assert socket.take() == [("ping", b"")]


@pytest.mark.parametrize(
    ("payload", "echoed"), [(b"", 1000), (b"\x03\xe8", 1000), (b"\x03\xe9away", 1001), (b"\x0f\xa0", 4000)]
)
def test_a_close_of_the_client_is_echoed_once_and_ends_the_socket(gateway, client, payload, echoed):
    connection, socket = client
    receive(connection, socket, Frame(WSMsgType.CLOSE, payload))
    assert socket.take() == [("close", (echoed, ""))]
    assert socket.disconnects == [True]
    receive(connection, socket, Frame(WSMsgType.CLOSE, payload))
    assert socket.take() == []
    connection.on_ws_disconnected(socket)
    assert gateway.counts.closes == {"bye": 1}


def test_no_event_follows_the_echo_of_a_close(gateway, client, record):
    connection, socket = client
    receive(connection, socket, text(SUBSCRIBE))
    gateway.hub.publish([record(1)])
    receive(connection, socket, Frame(WSMsgType.CLOSE))
    assert [kind for kind, _ in socket.take()] == ["text", "text", "close"]
    publish(gateway, record, 2)
    assert socket.take() == []


def test_close_says_why_once_and_stops_events_and_answers(gateway, clock, record):
    connection, socket = connect(gateway)
    receive(connection, socket, text(SUBSCRIBE))
    socket.take()
    connection.close(server_module.Closing.SILENT)
    connection.close(server_module.Closing.SLOW_CONSUMER)
    publish(gateway, record, 1)
    receive(connection, socket, text(HEARTBEAT), Frame(WSMsgType.BINARY, b"x"))
    assert [(kind, content[0]) for kind, content in socket.take()] == [("close", 4001)]
    assert gateway.hub.channels["BTC.trade"].outboxes == {}
    assert connection.close_at == clock.now + gateway.CLOSE_GRACE_SECONDS
    assert connection in gateway.ending


def test_the_client_answers_our_close_and_the_socket_ends_without_an_echo(gateway, client):
    connection, socket = client
    connection.close(server_module.Closing.DRAINING)
    socket.take()
    receive(connection, socket, Frame(WSMsgType.CLOSE, b"\x03\xf4"))
    assert socket.take() == []
    assert socket.disconnects == [True]
    connection.on_ws_disconnected(socket)
    assert gateway.counts.closes == {"draining": 1}
    assert not gateway.ending


def test_abort_drops_the_socket_now(client):
    connection, socket = client
    connection.abort()
    assert socket.disconnects == [False]


def test_a_client_that_does_not_take_its_bytes_is_slow_until_it_has(gateway, client):
    connection, socket = client
    socket.kept = 70_000
    connection.pause_writing()
    assert connection in gateway.slow
    assert gateway.queued_bytes() == 70_000
    connection.resume_writing()
    assert not gateway.slow


def test_a_lost_connection_gives_everything_back(gateway, client):
    connection, socket = client
    receive(connection, socket, text(SUBSCRIBE))
    connection.pause_writing()
    connection.on_ws_disconnected(socket)
    assert not gateway.connections
    assert not gateway.slow
    assert "BTC.trade" not in gateway.hub.channels
    assert gateway.counts.closes == {"lost": 1}
