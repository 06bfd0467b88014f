"""A histogram of durations: fixed buckets, each 10 % wider than the one before, flat in memory.

From 0.05 ms to beyond 10 minutes, so a percentile is right within 10 %; the largest value is kept
exactly. Adding costs a bisect; two histograms can be added up. Not safe for several threads at once.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable

_FIRST_MS = 0.05
_GROWTH = 1.1
_BUCKETS = 175

#: Upper bounds of the buckets in milliseconds; what is above the last goes to one more bucket.
BOUNDS_MS: tuple[float, ...] = tuple(_FIRST_MS * _GROWTH**index for index in range(_BUCKETS))


class DurationHistogram:
    """Counts of durations in milliseconds; a negative one counts as zero."""

    __slots__ = ("_counts", "count", "max_ms", "total_ms")

    def __init__(self) -> None:
        self._counts = [0] * (_BUCKETS + 1)
        self.count = 0
        self.total_ms = 0.0
        self.max_ms = 0.0

    def add(self, duration_ms: float) -> None:
        """Count one duration."""
        duration_ms = max(0.0, duration_ms)
        self._counts[bisect_left(BOUNDS_MS, duration_ms)] += 1
        self.count += 1
        self.total_ms += duration_ms
        self.max_ms = max(self.max_ms, duration_ms)

    def merge(self, other: "DurationHistogram") -> None:
        """Add all that `other` counted."""
        self._counts = [mine + its for mine, its in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        self.total_ms += other.total_ms
        self.max_ms = max(self.max_ms, other.max_ms)

    def percentile(self, percent: float) -> float:
        """The duration in ms that `percent` of all do not exceed, rounded up within 10 %; 0 when empty."""
        wanted = math.ceil(self.count * percent / 100)
        running = 0
        for bound, count in zip(BOUNDS_MS, self._counts, strict=False):
            running += count
            if count and running >= wanted:
                return min(bound, self.max_ms)
        return self.max_ms

    def at_most(self, bounds_ms: Iterable[float]) -> list[int]:
        """For each bound how many durations are at most it, bounds rounded down to the next bucket."""
        totals = [0]
        for count in self._counts:
            totals.append(totals[-1] + count)
        return [totals[bisect_left(BOUNDS_MS, bound * (1 + 1e-9))] for bound in bounds_ms]
