"""What the gateway counts besides the hub: connections, messages, closes, refusals, latency, loop lag.

Plain integers on the path of events; metrics.py turns them into Prometheus families when asked.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from odin_ws.gateway.protocol import Answer

#: Upper bounds of the latency buckets, in seconds.
LATENCY_BOUNDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Histogram:
    """Counts in fixed buckets, cheap to add to; `counts` has one more entry than `bounds`."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = LATENCY_BOUNDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> Iterable[tuple[str, float]]:
        """Prometheus buckets: (upper bound, count of values at most it), the last is +Inf."""
        running = 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            running += count
            yield str(bound), running
        yield "+Inf", running + self.counts[-1]


class GatewayCounts:
    """Counters of one worker since it began."""

    __slots__ = ("closes", "connects", "errors", "latency", "messages", "refused")

    def __init__(self) -> None:
        self.connects = 0
        self.messages = 0
        self.errors = 0
        self.closes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.latency = Histogram()

    def count_message(self, answer: Answer) -> None:
        """One message of a client was answered."""
        self.messages += 1
        if answer.frames and answer.frames[0].find(b'"type":"error"', 0, 24) >= 0:
            self.errors += 1
