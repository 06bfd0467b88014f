"""What the gateway costs: CPU for fan-out to many clients, and memory of an idle connection.

    python benchmarks/fanout.py [--clients 1000] [--rate 50] [--seconds 10] [--idle 5000] [--json]

A gateway process, an event log beside it, and this process as the receiver (raw sockets and epoll, no
parsing). The floor is measured in the same run: one write(2) of the same bytes to as many sockets.
"""

import argparse
import json
import os
import socket
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from odin_ws.eventlog import open_log
from odin_ws.eventlog.base import Draft
from platform_under_test import Platform, Receiver, Service, open_connections, send_text

VALUE = b'{"type":"TRADE_EXECUTED","timestamp":1699901234567,"data":{"pad":"%b"}}' % (b"x" * 120)


@dataclass
class Result:
    """What one run showed. CPU in percent of a core, microseconds a delivery, KB a connection."""

    deliveries_per_second: float
    gateway_cpu_percent: float
    us_per_delivery: float
    floor_us_per_write: float
    ratio_to_floor: float
    idle_connections: int
    idle_kb_per_connection: float
    missing: int


def main() -> None:
    """Run both measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        platform = Platform(Path(root))
        try:
            gateway = platform.start("gateway", "/readyz")
            idle_kb = measure_idle(gateway, options.idle)
            result = measure_fanout(platform, gateway, options.clients, options.rate, options.seconds)
        finally:
            platform.stop()
    result.idle_connections, result.idle_kb_per_connection = options.idle, round(idle_kb, 2)
    if options.json:
        print(json.dumps(asdict(result)))
        return
    print(
        f"fan-out: {result.deliveries_per_second:.0f} deliveries/s, "
        f"gateway {result.gateway_cpu_percent:.1f} % of a core, {result.us_per_delivery:.2f} us a delivery; "
        f"write(2) alone {result.floor_us_per_write:.2f} us, ratio {result.ratio_to_floor:.2f}; "
        f"missing {result.missing}\n"
        f"idle: {result.idle_kb_per_connection:.2f} KB a connection at {result.idle_connections}"
    )


def measure_idle(gateway: Service, count: int) -> float:
    """Growth of the gateway's resident memory for each idle connection, in KB (1024 bytes)."""
    warm = open_connections(gateway.port, 50)
    before = gateway.memory_bytes()
    clients = open_connections(gateway.port, count)
    time.sleep(1.0)
    grown = gateway.memory_bytes() - before
    for client in (*clients, *warm):
        client.close()
    time.sleep(1.0)
    return grown / count / 1024


def measure_fanout(platform: Platform, gateway: Service, count: int, rate: float, seconds: float) -> Result:
    """Publish at `rate` to one channel with `count` subscribers."""
    clients = open_connections(gateway.port, count)
    for client in clients:
        send_text(client, b'{"type":"subscribe","data":{"channels":["BTC.trade"]}}')
    received = 0

    def count_events(_: int, data: memoryview) -> None:
        nonlocal received
        received += bytes(data).count(b'"TRADE_EXECUTED"')

    receiver = Receiver(clients, count_events)
    receiver.drain(1.0)
    publisher = threading.Thread(target=publish, args=(platform, rate, seconds))
    cpu, started = gateway.cpu_seconds(), time.monotonic()
    publisher.start()
    receiver.drain(seconds)
    took, used = time.monotonic() - started, gateway.cpu_seconds() - cpu
    publisher.join()
    receiver.drain(1.0)
    sent = int(rate * seconds) * count
    floor = floor_us_per_write(count, len(VALUE) + 120)
    for client in clients:
        client.close()
    each = used / max(1, sent) * 1e6
    return Result(
        deliveries_per_second=sent / took,
        gateway_cpu_percent=used / took * 100,
        us_per_delivery=each,
        floor_us_per_write=floor,
        ratio_to_floor=each / floor,
        idle_connections=0,
        idle_kb_per_connection=0.0,
        missing=sent - received,
    )


def publish(platform: Platform, rate: float, seconds: float) -> None:
    """Append one record at a time, each at its planned time."""
    log = open_log(platform.settings, platform.home)
    started = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        log.append([Draft("odin.trades", b"BTC", VALUE)])
    log.close()


def floor_us_per_write(count: int, size: int) -> float:
    """CPU of one write(2) of `size` bytes, round over `count` loopback sockets, in microseconds."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    pairs = []
    for _ in range(count):
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        pairs.append((client, server))
    payload, write = b"x" * size, os.write
    fds = [server.fileno() for _, server in pairs]
    cpu = time.process_time()
    spent = 0.0
    for _ in range(20):
        cpu = time.process_time()
        for fd in fds:
            write(fd, payload)
        spent += time.process_time() - cpu
        for client, _ in pairs:
            client.recv(65_536)
    for client, server in pairs:
        client.close()
        server.close()
    listener.close()
    return spent / (20 * count) * 1e6


if __name__ == "__main__":
    main()
