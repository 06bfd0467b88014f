"""The gateway as a process, with real sockets and the real embedded log."""

import asyncio
import json
import os
import random
import signal
import socket
import threading
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from odin_ws.eventlog.base import Draft
from support import wait_until

pytestmark = pytest.mark.integration

KEYS = [f"K{n}" for n in range(20)]


async def subscribe(ws, *channels, **data):
    """Subscribe and return the ack."""
    await ws.send(json.dumps({"type": "subscribe", "data": {"channels": list(channels), **data}}))
    while True:
        message = json.loads(await ws.recv())
        if message["type"] == "subscription_ack":
            return message


async def events(ws, count):
    """The next `count` events."""
    found = []
    while len(found) < count:
        message = json.loads(await asyncio.wait_for(ws.recv(), 20))
        if message["type"] == "event":
            found.append(message)
    return found


async def read_until_closed(ws):
    """The server's close frame, and the messages before it."""
    messages = []
    try:
        while True:
            messages.append(json.loads(await asyncio.wait_for(ws.recv(), 10)))
    except ConnectionClosed as closed:
        return closed.rcvd, messages


def assert_chain(found):
    """In each channel every event's prev is the position before."""
    last = {}
    for event in found:
        channel = event["channel"]
        if channel in last:
            assert event["prev"] == last[channel], f"chain of {channel} is broken"
        last[channel] = event["pos"]


def append_steadily(log_factory, total, rate, key_of):
    """Append from a thread at a rate, as a publisher does."""

    def work():
        log = log_factory()
        started = time.monotonic()
        sent = 0
        while sent < total:
            due = min(total, int((time.monotonic() - started) * rate) + 1)
            if due > sent:
                log.append([Draft("odin.trades", key_of(n), b'{"n":%d}' % n) for n in range(sent, due)])
                sent = due
            time.sleep(0.002)
        log.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


async def test_each_event_arrives_once_in_order_and_none_is_missing_against_the_log(
    start_gateway, event_log, home
):
    from odin_ws.config import load_config
    from odin_ws.eventlog import open_log

    gateway = start_gateway()
    total = 3000
    async with connect(gateway.ws, compression=None) as ws:
        await subscribe(ws, *(f"{key}.trade" for key in KEYS))
        settings = load_config(environ={}).settings
        thread = append_steadily(
            lambda: open_log(settings, home), total, 1000, lambda n: KEYS[n % 20].encode()
        )
        found = await events(ws, total)
        thread.join()
    assert_chain(found)
    assert sorted(event["data"]["n"] for event in found) == list(range(total))
    seen = {tuple(map(int, event["pos"].split(".")[1:])) for event in found}
    state = event_log.describe()["odin.trades"]
    logged = {(p, o) for p, part in enumerate(state.partitions) for o in range(part.earliest, part.end)}
    assert logged <= seen


async def test_a_late_comer_gets_the_last_events_and_then_live(start_gateway, event_log):
    gateway = start_gateway()
    event_log.append([Draft("odin.trades", b"BTC", b"%d" % n) for n in range(10)])
    wait_until(lambda: gateway.metric("odin_gateway_records_total") == 10, "records read")
    async with connect(gateway.ws) as ws:
        ack = await subscribe(ws, "BTC.trade", **{"from": {"BTC.trade": {"last": 4}}})
        event_log.append([Draft("odin.trades", b"BTC", b"10")])
        found = await events(ws, 5)
    assert ack["recovered"] == {"BTC.trade": 4}
    assert [event["data"] for event in found] == [6, 7, 8, 9, 10]
    assert_chain(found)


async def test_a_pattern_brings_all_its_channels_in_order_also_new_ones(start_gateway, event_log):
    gateway = start_gateway()
    async with connect(gateway.ws) as ws:
        await subscribe(ws, "*.trade", "K1.*", "K1.trade")
        for n in range(30):
            event_log.append([Draft("odin.trades", f"K{n % 5}".encode(), b"%d" % n)])
        event_log.append([Draft("odin.social", b"K1", b"30"), Draft("odin.social", b"K2", b"31")])
        found = await events(ws, 31)
    assert_chain(found)
    assert sorted(event["data"] for event in found) == list(range(31))


async def test_a_restarted_gateway_knows_the_last_events_from_the_warm_window(start_gateway, event_log):
    event_log.append([Draft("odin.trades", b"BTC", b"%d" % n) for n in range(5)])
    gateway = start_gateway()
    wait_until(lambda: gateway.metric("odin_gateway_records_total") == 5, "warm window read")
    async with connect(gateway.ws) as ws:
        ack = await subscribe(ws, "BTC.trade", **{"from": {"BTC.trade": {"last": 3}}})
    assert ack["recovered"] == {"BTC.trade": 3}


@pytest.mark.parametrize(
    ("settings", "frames", "code"),
    [
        ({}, [b"binary"], 1003),
        ({"max_message_bytes": 2000}, ["x" * 2001], 1009),
        ({"max_errors": 3}, ["a", "b", "c", "d"], 4102),
    ],
)
async def test_breaches_close_with_the_code_of_the_table(start_gateway, settings, frames, code):
    gateway = start_gateway(**settings)
    async with connect(gateway.ws) as ws:
        for frame in frames:
            await ws.send(frame)
        closed, _ = await read_until_closed(ws)
    assert closed.code == code
    assert gateway.get("/livez")[0] == 200


async def test_invalid_utf8_and_fragments_too_large_close(start_gateway):
    gateway = start_gateway(max_message_bytes=2000)
    async with connect(gateway.ws) as ws:
        await ws.recv()
        await ws.send(b'{"type":"\xff"}', text=True)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(ws.recv(), 10)
        assert closed.value.rcvd.code == 1007
    async with connect(gateway.ws) as ws:
        await ws.recv()
        await ws.send(['{"type":"heart', 'beat"}'])
        assert json.loads(await ws.recv())["type"] == "pong"
        await ws.send(["x" * 900] * 3)
        closed, _ = await read_until_closed(ws)
        assert closed.code == 1009


async def test_a_silent_client_is_closed_and_one_that_answers_pings_is_not(start_gateway):
    gateway = start_gateway(ping_interval_seconds=0.3, silence_timeout_seconds=1.0)
    silent = await asyncio.to_thread(_raw_upgrade, gateway.port)
    async with connect(gateway.ws) as ws:
        await asyncio.sleep(2.5)
        await ws.send('{"type":"heartbeat"}')
        kinds = [json.loads(await ws.recv())["type"] for _ in range(2)]
        assert kinds == ["welcome", "pong"]
    data = await asyncio.to_thread(_read_all, silent)
    assert (4001).to_bytes(2, "big") in data
    assert b"silence_timeout_seconds" in data


async def test_a_slow_consumer_is_closed_and_delays_nobody(start_gateway, event_log):
    gateway = start_gateway(max_queued_bytes=65_536)
    stalled = await asyncio.to_thread(_raw_upgrade, gateway.port, 4096)
    _send_text(stalled, {"type": "subscribe", "data": {"channels": ["BTC.trade"]}})
    value = b'"' + b"x" * 100_000 + b'"'
    async with connect(gateway.ws, compression=None, max_size=None) as ws:
        await subscribe(ws, "BTC.trade")
        found = []
        for _ in range(120):
            event_log.append([Draft("odin.trades", b"BTC", value)])
            found += await events(ws, 1)
        assert_chain(found)
    wait_until(lambda: _closes(gateway, "slow_consumer") == 1, "the slow one is closed")
    assert gateway.metric("odin_gateway_queued_bytes") == 0
    stalled.close()


async def test_at_capacity_others_are_refused_before_the_upgrade_with_retry_after(start_gateway):
    gateway = start_gateway(max_connections=2)
    async with connect(gateway.ws) as one, connect(gateway.ws):
        with pytest.raises(InvalidStatus) as refused:
            await connect(gateway.ws).__aenter__()
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "5"
        await one.close()
        wait_until(lambda: gateway.metric("odin_gateway_connections") == 1, "a place is free")
        async with connect(gateway.ws) as third:
            assert json.loads(await third.recv())["type"] == "welcome"


async def test_a_foreign_origin_gets_403_and_a_firefox_like_connection_header_is_fine(start_gateway):
    gateway = start_gateway()
    with pytest.raises(InvalidStatus) as refused:
        await connect(gateway.ws, origin="https://evil.example").__aenter__()
    assert refused.value.response.status_code == 403
    firefox = await asyncio.to_thread(_raw_upgrade, gateway.port, None, "keep-alive, Upgrade")
    assert b'"welcome"' in await asyncio.to_thread(firefox.recv, 4096)
    firefox.close()


async def test_sigterm_drains_tells_clients_when_to_return_and_loses_nothing(start_gateway, event_log):
    gateway = start_gateway(drain_seconds=1)
    async with connect(gateway.ws) as one, connect(gateway.ws) as two:
        for ws in (one, two):
            await subscribe(ws, "BTC.trade")
        event_log.append([Draft("odin.trades", b"BTC", b"%d" % n) for n in range(50)])
        for ws in (one, two):
            assert len(await events(ws, 50)) == 50
        gateway.process.send_signal(signal.SIGTERM)
        seen = []
        for ws in (one, two):
            closed, messages = await read_until_closed(ws)
            assert closed.code == 1012
            seen += messages
    waits = sorted(m["reconnect_after_ms"] for m in seen if m["type"] == "draining")
    assert len(waits) == 2
    assert waits[0] < waits[1]
    assert [m["status"] for m in seen if m["type"] == "status"] == ["draining"] * 2
    assert gateway.process.wait(10) == 0


async def test_readiness_fails_while_draining(start_gateway):
    gateway = start_gateway(drain_seconds=3)
    async with connect(gateway.ws) as one, connect(gateway.ws):
        gateway.process.send_signal(signal.SIGTERM)
        _, body = wait_until(lambda: (r := gateway.get("/readyz"))[0] == 503 and r, "not ready")
        assert body["failing"] == {"draining": "the server is going away"}
        assert gateway.get("/livez")[0] == 200
        await one.wait_closed()


async def test_a_deleted_log_shows_in_readiness_and_the_new_one_is_a_gap(start_gateway, event_log, home):
    from odin_ws.config import load_config
    from odin_ws.eventlog import open_log

    gateway = start_gateway()
    async with connect(gateway.ws) as ws:
        await subscribe(ws, "BTC.trade")
        event_log.append([Draft("odin.trades", b"BTC", b"1")])
        (first,) = await events(ws, 1)
        event_log.close()
        for file in home.data.iterdir():
            file.unlink()
        wait_until(lambda: gateway.get("/readyz")[0] == 503, "not ready without its log")
        settings = load_config(environ={}).settings
        fresh = open_log(settings, home)
        fresh.create_topics(settings.all_topics())
        wait_until(lambda: gateway.get("/readyz")[0] == 200, "ready with the new log")
        fresh.append([Draft("odin.trades", b"BTC", b"2")])
        seen = []
        while not seen or seen[-1]["type"] != "event":
            seen.append(json.loads(await asyncio.wait_for(ws.recv(), 20)))
        fresh.close()
    gap = next(m for m in seen if m["type"] == "gap")
    assert gap["reason"] == "epoch"
    assert gap["from"] == first["pos"]
    assert seen[-1]["prev"] == gap["to"]


async def test_random_and_mutated_messages_never_crash_or_leak(start_gateway, event_log):
    """10,000 messages over several connections, each answered or closed by the table; printed seed."""
    gateway = start_gateway(max_messages_per_second=0, max_errors=0)
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    event_log.append([Draft("odin.trades", b"OTHER", b"1")])
    wait_until(lambda: gateway.metric("odin_gateway_records_total") == 1, "the feed has all its files open")
    fds_before = _fds(gateway)
    sent = 0
    while sent < 10_000:
        async with connect(gateway.ws, compression=None) as ws:
            assert json.loads(await ws.recv())["type"] == "welcome"
            sent += await _send_until_closed(ws, rng, min(500, 10_000 - sent))
    assert gateway.get("/readyz")[0] == 200
    wait_until(lambda: gateway.metric("odin_gateway_connections") == 0, "all connections given back")
    wait_until(lambda: _fds(gateway) <= fds_before, "all file descriptors given back")
    assert not [line for line in gateway.log_lines() if line["level"] in ("error", "critical")]


async def _send_until_closed(ws, rng, limit) -> int:
    for count in range(1, limit + 1):
        message, as_text = _mutated(rng)
        try:
            await ws.send(message, text=as_text)
            answer = json.loads(await asyncio.wait_for(ws.recv(), 10))
            assert answer["type"] in (
                "error", "subscription_ack", "unsubscription_ack", "subscriptions", "pong",
            )  # fmt: skip
        except ConnectionClosed as closed:
            return count if closed.rcvd.code in (1003, 1007) else pytest.fail(f"closed with {closed}")
    return limit


VALID = [
    b'{"type":"subscribe","data":{"channels":["A.trade","B.trade"],"from":{"A.trade":{"last":3}},"policy":"all"},"id":1}',
    b'{"type":"unsubscribe","data":{"channels":["A.trade"]}}',
    b'{"type":"list","id":"x"}',
    b'{"type":"heartbeat","data":{"channels":true}}',
]


def _mutated(rng) -> tuple[bytes, bool]:
    message = bytearray(rng.choice(VALID))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(message) + 1)
        what = rng.randrange(4)
        if what == 0 and at < len(message):
            message[at] = rng.randrange(128) if rng.random() < 0.97 else rng.randrange(256)
        elif what == 1:
            del message[at : at + rng.randrange(1, 10)]
        elif what == 2:
            message[at:at] = rng.choice([b'"', b"{", b"[", b",", b"null", b"1e999", b"\\ud800", b"\x00"])
        else:
            message[at:at] = message[: rng.randrange(20)]
    return bytes(message), rng.random() > 0.002


def test_mutated_http_requests_never_crash_or_leak(start_gateway):
    """1,000 requests: every one is answered with an HTTP response or its connection closed."""
    gateway = start_gateway(handshake_timeout_seconds=1)
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    base = _upgrade_request("Upgrade")
    for _ in range(1000):
        request = bytearray(base if rng.random() < 0.5 else b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(request))
            if rng.random() < 0.5:
                request[at] = rng.randrange(256)
            else:
                del request[at : at + rng.randrange(1, 6)]
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as client:
            client.sendall(bytes(request))
            client.shutdown(socket.SHUT_WR)
            first = client.recv(4096)
            assert first == b"" or first.startswith(b"HTTP/1.1 "), first
    assert gateway.get("/readyz")[0] == 200
    wait_until(lambda: gateway.metric("odin_gateway_connections") == 0, "all connections given back")
    assert not [line for line in gateway.log_lines() if line["level"] in ("error", "critical")]


def test_a_port_in_use_ends_with_a_sentence(start_gateway, home):
    import subprocess
    import sys

    gateway = start_gateway()
    environ = {**os.environ, "ODIN_HOME": str(home.root), "ODIN_GATEWAY_PORT": str(gateway.port)}
    second = subprocess.run(
        [sys.executable, "-m", "odin_ws", "serve", "gateway"],
        env=environ,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert second.returncode == 4
    assert b"cannot listen on 127.0.0.1" in second.stderr


def _closes(gateway, reason) -> float:
    _, text = gateway.get("/metrics")
    lines = [x for x in text.splitlines() if x.startswith(f'odin_gateway_closes_total{{reason="{reason}"}}')]
    return float(lines[0].rsplit(" ", 1)[1]) if lines else 0.0


def _fds(gateway) -> int:
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


def _upgrade_request(connection: str) -> bytes:
    return (
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: "
        + connection.encode()
        + b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )


def _raw_upgrade(port: int, receive_buffer: int | None = None, connection: str = "Upgrade") -> socket.socket:
    """A connected socket that will do nothing by itself, not even answer a ping."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(10)
    client.connect(("127.0.0.1", port))
    client.sendall(_upgrade_request(connection))
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    assert b" 101 " in head
    return client


def _send_text(client: socket.socket, message: object) -> None:
    payload = json.dumps(message).encode()
    assert len(payload) < 126
    client.sendall(bytes([0x81, 0x80 | len(payload)]) + b"\0\0\0\0" + payload)


def _read_all(client: socket.socket) -> bytes:
    data = b""
    try:
        while chunk := client.recv(65_536):
            data += chunk
    except (TimeoutError, ConnectionError):
        pass
    client.close()
    return data
