"""One plain client of the `websockets` library against the log: nothing missing, in order, and how late.

    python benchmarks/one_client.py [--rate 1000] [--seconds 60] [--json]

Real publisher, embedded log, real gateway. The client subscribes to the trade channels of all 20 tokens,
so that every record of odin.trades is owed to it; afterwards its positions are held against the offsets
that the log gave out in the window. Exit 1 when one is missing, doubled, out of order, or a chain broken.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from websockets.asyncio.client import connect

from odin_ws.catalogue import TOKENS
from platform_under_test import Platform

TOPIC = "odin.trades"


@dataclass
class Tally:
    """What the client saw, and what was wrong with it."""

    events: int = 0
    broken_chains: int = 0
    doubled: int = 0
    out_of_order: int = 0
    last: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[int, int]] = field(default_factory=set)
    latencies_ms: list[float] = field(default_factory=list)

    def take(self, message: dict[str, object], now_ms: float) -> None:
        """Count one event."""
        channel, position = str(message["channel"]), str(message["pos"])
        before = self.last.get(channel)
        self.broken_chains += before is not None and message["prev"] != before
        place = _place(position)
        self.doubled += place in self.seen
        self.out_of_order += before is not None and _place(before) >= place
        self.last[channel] = position
        self.seen.add(place)
        self.events += 1
        self.latencies_ms.append(now_ms - float(str(message["ts"])))


@dataclass
class Result:
    """The verdict's figures; latency from the record's timestamp, which is the planned time."""

    events: int
    events_per_second: float
    missing: int
    doubled: int
    out_of_order: int
    broken_chains: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=float, default=1000, help="events per second over all topics")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        platform = Platform(Path(root))
        try:
            result = asyncio.run(measure(platform, options.rate, options.seconds))
        finally:
            platform.stop()
    print(json.dumps(asdict(result)) if options.json else _sentence(result))
    sys.exit(bool(result.missing or result.doubled or result.out_of_order or result.broken_chains))


async def measure(platform: Platform, rate: float, seconds: float) -> Result:
    """Listen for `seconds`, then compare with the log."""
    gateway = platform.start("gateway", "/readyz")
    tally = Tally()
    names = [f"{token}.trade" for token in TOKENS]
    async with connect(f"ws://127.0.0.1:{gateway.port}/ws", compression=None) as ws:
        await ws.send(json.dumps({"type": "subscribe", "data": {"channels": names}}))
        await ws.recv()
        await ws.recv()
        platform.start("publisher", "/health", rate=rate, seed=1)
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            await _listen(ws, tally, seconds=1)
        ends = [partition.end for partition in platform.log.describe()[TOPIC].partitions]
        await _listen(ws, tally, seconds=2)
    owed = {(number, offset) for number, end in enumerate(ends) for offset in range(end)}
    ordered = sorted(tally.latencies_ms)
    return Result(
        events=tally.events,
        events_per_second=len(owed) / seconds,
        missing=len(owed - tally.seen),
        doubled=tally.doubled,
        out_of_order=tally.out_of_order,
        broken_chains=tally.broken_chains,
        p50_ms=ordered[len(ordered) // 2],
        p99_ms=ordered[len(ordered) * 99 // 100],
        max_ms=ordered[-1],
    )


async def _listen(ws: object, tally: Tally, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            text = await asyncio.wait_for(ws.recv(), left)  # type: ignore[attr-defined]
        except TimeoutError:
            return
        message = json.loads(text)
        if message["type"] == "event":
            tally.take(message, time.time() * 1000)


def _place(position: str) -> tuple[int, int]:
    _, partition, offset = position.split(".")
    return int(partition), int(offset)


def _sentence(result: Result) -> str:
    return (
        f"one client, 20 channels: {result.events} events, {result.events_per_second:.0f}/s; "
        f"missing {result.missing}, doubled {result.doubled}, out of order {result.out_of_order}, "
        f"broken chains {result.broken_chains}; "
        f"p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms, max {result.max_ms:.1f} ms"
    )


if __name__ == "__main__":
    main()
