"""End-to-end latency: from the publisher's planned time of an event to each client that gets it.

    python benchmarks/end_to_end.py [--rate 1000] [--clients 100] [--channels 20] [--seconds 20] [--json]

Real publisher, embedded log, real gateway, clients on raw sockets. An event's `ts` is its planned time
in whole milliseconds, so a figure may be up to 1 ms too high, never too low; nothing is omitted when the
publisher is late. The floor, measured in the same run, is a byte sent through a loopback socket pair.
"""

import argparse
import json
import re
import socket
import tempfile
import time
from array import array
from dataclasses import asdict, dataclass
from pathlib import Path

from odin_ws.catalogue import TOKENS
from platform_under_test import Platform, Receiver, open_connections, send_text

_TS = re.compile(rb'"prev":(?:null|"[^"]*"),"ts":(\d+),')


@dataclass
class Result:
    """Latency in ms, CPU in percent of a core."""

    events: int
    events_per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    gateway_cpu_percent: float
    publisher_cpu_percent: float
    floor_p50_ms: float


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument(
        "--channels", type=int, default=20, help="trade channels a client subscribes to, 1-20"
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        platform = Platform(Path(root))
        try:
            result = measure(platform, options.rate, options.clients, options.channels, options.seconds)
        finally:
            platform.stop()
    if options.json:
        print(json.dumps(asdict(result)))
        return
    print(
        f"{options.clients} clients, {options.rate:g} ev/s: {result.events_per_second:.0f} deliveries/s\n"
        f"latency: p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms, max {result.max_ms:.1f} ms; "
        f"loopback alone p50 {result.floor_p50_ms:.3f} ms\n"
        f"CPU of a core: gateway {result.gateway_cpu_percent:.0f} %, "
        f"publisher {result.publisher_cpu_percent:.0f} %"
    )


def measure(platform: Platform, rate: float, clients: int, channels: int, seconds: float) -> Result:
    """Subscribe, let it settle for two seconds, then take every delivery for `seconds`."""
    gateway = platform.start("gateway", "/readyz")
    sockets = open_connections(gateway.port, clients)
    names = [f"{token}.trade" for token in TOKENS[:channels]]
    for client in sockets:
        send_text(client, json.dumps({"type": "subscribe", "data": {"channels": names}}).encode())
    publisher = platform.start("publisher", "/health", rate=rate, seed=1)
    latencies = array("d")

    def take(_: int, data: memoryview) -> None:
        now_ms = time.time() * 1000
        for stamp in _TS.findall(data):
            latencies.append(now_ms - int(stamp))

    receiver = Receiver(sockets, take)
    receiver.drain(2.0)
    del latencies[:]
    before = gateway.cpu_seconds(), publisher.cpu_seconds()
    receiver.drain(seconds)
    used = gateway.cpu_seconds() - before[0], publisher.cpu_seconds() - before[1]
    ordered = sorted(latencies)
    if not ordered:
        raise SystemExit("no event arrived")
    return Result(
        events=len(ordered),
        events_per_second=len(ordered) / seconds,
        p50_ms=ordered[len(ordered) // 2],
        p99_ms=ordered[len(ordered) * 99 // 100],
        max_ms=ordered[-1],
        gateway_cpu_percent=used[0] / seconds * 100,
        publisher_cpu_percent=used[1] / seconds * 100,
        floor_p50_ms=loopback_p50_ms(),
    )


def loopback_p50_ms() -> float:
    """Median time of one byte through a connected pair of loopback sockets, both ends here."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    times = []
    for _ in range(2000):
        started = time.perf_counter()
        server.send(b"x")
        client.recv(1)
        times.append(time.perf_counter() - started)
    for each in (client, server, listener):
        each.close()
    return sorted(times)[len(times) // 2] * 1000


if __name__ == "__main__":
    main()
