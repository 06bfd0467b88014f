"""The gateway without sockets: who is pinged, told, closed and turned away, and when."""

import asyncio
import errno
import json
from collections import Counter
from types import SimpleNamespace

import picows
import pytest
from picows import WSMsgType

from gateway.fake_socket import Frame, connect
from odin_ws import catalogue
from odin_ws.errors import OdinError
from odin_ws.gateway import connection as connection_module
from odin_ws.gateway import server as server_module
from odin_ws.gateway.feed import FeedState
from odin_ws.gateway.server import Gateway
from odin_ws.settings import GatewaySettings


@pytest.fixture
def new_gateway(clock):
    """A gateway whose feed is well."""

    def new_gateway(**settings):
        gateway = Gateway(GatewaySettings(**settings), catalogue.TOPICS, lambda: None)
        feed_is(gateway, clock)
        return gateway

    return new_gateway


def feed_is(gateway, clock, connected=True, record_age=0.0):
    gateway.feed.state = FeedState(
        connected=connected, problem="", last_poll=clock.now, last_record=clock.now - record_age
    )


def greeted(gateway, count=1):
    """So many connections with their sockets, past the welcome."""
    clients = [connect(gateway) for _ in range(count)]
    for _, socket in clients:
        socket.take()
    return clients


def pings(socket):
    return sum(kind == "ping" for kind, _ in socket.take())


def closed_with(socket):
    return [content[0] for kind, content in socket.take() if kind == "close"]


# Lives


def test_pings_are_spread_over_the_interval_and_each_client_gets_one(new_gateway):
    gateway = new_gateway(ping_interval_seconds=10)
    clients = greeted(gateway, 25)
    turns = []
    for turn in range(10):
        gateway.look_once(turn)
        turns.append([pings(socket) for _, socket in clients])
    assert [sum(pinged) for pinged in turns] == [3, 3, 3, 3, 3, 2, 2, 2, 2, 2]
    assert [sum(column) for column in zip(*turns, strict=True)] == [1] * 25


def test_a_silent_client_is_closed_with_4001_and_one_that_answers_pings_stays(new_gateway, clock):
    gateway = new_gateway(silence_timeout_seconds=60)
    (_, quiet_socket), (alive, alive_socket) = greeted(gateway, 2)
    clock.now += 59
    feed_is(gateway, clock)
    alive.on_ws_frame(alive_socket, Frame(WSMsgType.PONG))
    gateway.look_once(0)
    assert closed_with(quiet_socket) == []
    clock.now += 2
    gateway.look_once(1)
    assert closed_with(quiet_socket) == [4001]
    assert closed_with(alive_socket) == []
    gateway.look_once(2)
    assert closed_with(quiet_socket) == []


def test_a_close_that_is_not_answered_in_time_ends_in_a_drop(new_gateway, clock):
    gateway = new_gateway()
    ((connection, socket),) = greeted(gateway)
    connection.close(server_module.Closing.SILENT)
    clock.now += gateway.CLOSE_GRACE_SECONDS - 0.1
    gateway.look_once(0)
    assert socket.disconnects == []
    clock.now += 0.2
    gateway.look_once(1)
    assert socket.disconnects == [False]


# What the feed is told as


def test_a_change_of_the_feed_is_told_once_to_everybody(new_gateway, clock):
    gateway = new_gateway(stale_seconds=60)
    clients = greeted(gateway, 2)
    gateway.look_once(0)
    feed_is(gateway, clock, connected=False)
    gateway.look_once(1)
    gateway.look_once(2)
    feed_is(gateway, clock, record_age=61)
    gateway.look_once(3)
    feed_is(gateway, clock)
    gateway.look_once(4)
    for _, socket in clients:
        told = [(m["status"], m["age_ms"]) for m in socket.messages()]
        assert told == [("degraded", 0), ("stale", 61_000), ("ok", 0)]


def test_who_comes_while_the_feed_is_not_well_is_told_after_the_welcome(new_gateway, clock):
    gateway = new_gateway()
    feed_is(gateway, clock, connected=False)
    gateway.look_once(0)
    _, socket = connect(gateway)
    assert [m["type"] for m in socket.messages()] == ["welcome", "status"]


def test_who_is_being_closed_is_told_nothing_more(new_gateway, clock):
    gateway = new_gateway()
    ((connection, socket),) = greeted(gateway)
    connection.close(server_module.Closing.BYE)
    socket.take()
    feed_is(gateway, clock, connected=False)
    gateway.look_once(0)
    assert socket.take() == []


# Slow consumers


def test_who_has_too_much_waiting_is_closed_with_4000_and_nobody_else(new_gateway):
    gateway = new_gateway(max_queued_bytes=100_000)
    (over, over_socket), (below, below_socket), (_, quick_socket) = greeted(gateway, 3)
    over_socket.kept, below_socket.kept = 100_001, 100_000
    over.pause_writing()
    below.pause_writing()
    for _ in range(2):
        gateway.close_over_limit()
    assert closed_with(over_socket) == [4000]
    assert closed_with(below_socket) == closed_with(quick_socket) == []


# Drain


def answer_closes(socket, connection):
    """Behave as a client that answers a close at once."""
    write = socket.write

    def write_and_leave(data):
        write(data)
        if data[:1] == b"\x88":
            asyncio.get_running_loop().call_soon(connection.on_ws_disconnected, socket)

    connection.outbox.write = write_and_leave


async def test_drain_tells_each_client_its_own_time_and_closes_all_with_1012(new_gateway, monkeypatch):
    monkeypatch.setattr(server_module.time, "monotonic", asyncio.get_running_loop().time)
    gateway = new_gateway(drain_seconds=0.2)
    clients = greeted(gateway, 4)
    for connection, socket in clients:
        answer_closes(socket, connection)
    await asyncio.wait_for(gateway.drain(), 4.0)
    after = []
    for _, socket in clients:
        frames = socket.take()
        assert [content["type"] for kind, content in frames if kind == "text"] == ["status", "draining"]
        assert [content[0] for kind, content in frames if kind == "close"] == [1012]
        after.append(frames[1][1]["reconnect_after_ms"])
    assert sorted(after) == [50, 100, 150, 200]
    assert gateway.counts.closes == Counter(draining=4)


async def test_drain_closes_at_once_when_there_is_no_window_and_does_not_wait_for_ever(new_gateway):
    gateway = new_gateway(drain_seconds=0)
    gateway.CLOSE_GRACE_SECONDS = 0.05
    ((_, deaf),) = greeted(gateway)
    await asyncio.wait_for(gateway.drain(), 4.0)
    assert closed_with(deaf) == [1012]


async def test_drain_without_clients_is_over_at_once(new_gateway):
    gateway = new_gateway(drain_seconds=3600)
    await asyncio.wait_for(gateway.drain(), 1.0)
    assert gateway.draining


async def test_who_leaves_during_the_drain_is_not_closed_again(new_gateway, monkeypatch):
    monkeypatch.setattr(server_module.time, "monotonic", asyncio.get_running_loop().time)
    gateway = new_gateway(drain_seconds=0.1)
    (first, first_socket), (second, second_socket) = greeted(gateway, 2)
    monkeypatch.setattr(server_module.random, "shuffle", lambda clients: None)
    answer_closes(first_socket, first)
    draining = asyncio.create_task(gateway.drain())
    await asyncio.sleep(0)
    second.on_ws_disconnected(second_socket)
    await asyncio.wait_for(draining, 4.0)
    assert closed_with(second_socket) == []
    assert closed_with(first_socket) == [1012]


# Who is let in


def request(path="/ws", **headers):
    return SimpleNamespace(
        path=path.encode(), headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


UPGRADE = {"upgrade": "websocket", "connection": "Upgrade", "host": "feed.example"}


def test_an_upgrade_becomes_a_connection(new_gateway):
    assert isinstance(new_gateway().accept(request(**UPGRADE)), connection_module.Connection)


def test_browsers_that_keep_alive_and_upgrade_are_let_in(new_gateway):
    asked = request(**UPGRADE | {"connection": "keep-alive, Upgrade"})
    assert isinstance(new_gateway().accept(asked), connection_module.Connection)
    assert asked.headers["connection"] == "upgrade"


def test_refusals_are_answered_and_counted_by_reason(new_gateway):
    gateway = new_gateway(max_connections=1, retry_after_seconds=7)
    refused = gateway.accept(request(**UPGRADE, origin="https://evil.example"))
    greeted(gateway)
    full = gateway.accept(request(**UPGRADE))
    gateway.draining = True
    draining = gateway.accept(request(**UPGRADE))
    assert [int(answer.response.status) for answer in (refused, full, draining)] == [403, 503, 503]
    assert full.response.headers["Retry-After"] == "7"
    assert full.listener is None
    assert gateway.counts.refused == {"origin": 1, "capacity": 1, "draining": 1}


def test_other_paths_are_answered_and_are_no_refusals(new_gateway):
    gateway = new_gateway()
    answer = gateway.accept(request("/health"))
    assert json.loads(answer.response.body)["checks"]["capacity"]["current"] == 0
    assert answer.response.headers["Content-Type"] == "application/json"
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert gateway.accept(request("/nowhere")).response.status == 404
    assert not gateway.counts.refused


# Start


async def test_a_port_in_use_is_told_with_a_remedy_and_the_feed_stays_down(new_gateway, monkeypatch):
    async def taken(*arguments, **options):
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(picows, "ws_create_server", taken)
    gateway = new_gateway(port=4711)
    monkeypatch.setattr(gateway.feed, "start", lambda *arguments: pytest.fail("the feed was started"))
    with pytest.raises(
        OdinError, match=r"cannot listen on 127\.0\.0\.1:4711: Address already in use"
    ) as caught:
        await gateway.start()
    assert caught.value.exit_code == 4
    assert "doctor" in caught.value.remedy


async def test_start_listens_with_the_settings_and_follows_the_log(new_gateway, monkeypatch):
    asked = {}

    async def listen(factory, host, port, **options):
        asked.update(options, factory=factory, address=(host, port))
        return "server"

    monkeypatch.setattr(picows, "ws_create_server", listen)
    gateway = new_gateway(port=4711, max_message_bytes=2048, handshake_timeout_seconds=3)
    started = []
    monkeypatch.setattr(gateway.feed, "start", lambda loop, after_flush: started.append(after_flush))
    assert await gateway.start() == "server"
    assert asked["address"] == ("127.0.0.1", 4711)
    assert (asked["max_frame_size"], asked["websocket_handshake_timeout"]) == (2048, 3)
    assert asked["factory"] == gateway.accept
    assert started == [gateway.close_over_limit]
