"""What the publisher counts, and the rate over the last seconds out of two counters.

`Counts` belongs to one run; those of ended runs are added up for the metrics. Who shares it between
threads holds the publisher's lock (engine.py). Pure: the time comes in.
"""

from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

from odin_ws.publisher.histogram import DurationHistogram

#: An event that is in the log later than this after its planned time counts as late, in ms.
LATE_MS = 10.0

_SECOND_NS = 1_000_000_000


class Counts:
    """Counters of a run. `planned` and `skipped` are kept by the pacer and copied when the run ends."""

    __slots__ = (
        "appends",
        "errors",
        "late",
        "lateness",
        "planned",
        "published",
        "retries",
        "skipped",
        "unsent",
    )

    def __init__(self) -> None:
        self.published: Counter[str] = Counter()
        self.late = 0
        self.errors = 0
        self.retries = 0
        self.unsent = 0
        self.planned = 0
        self.skipped = 0
        self.lateness = DurationHistogram()
        self.appends = DurationHistogram()

    @property
    def total(self) -> int:
        """Events in the log."""
        return self.published.total()

    def acknowledged(self, topics: Iterable[str], lateness_ms: Iterable[float], append_ms: float) -> None:
        """One append returned: the topics of its events, how late each is, how long the append took."""
        self.published.update(topics)
        self.appends.add(append_ms)
        for late_ms in lateness_ms:
            self.lateness.add(late_ms)
            self.late += late_ms > LATE_MS

    def merge(self, other: "Counts") -> None:
        """Add all that `other` counted."""
        self.published.update(other.published)
        for name in ("late", "errors", "retries", "unsent", "planned", "skipped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lateness.merge(other.lateness)
        self.appends.merge(other.appends)


class Sample(NamedTuple):
    """Two counters at a moment."""

    now_ns: int
    achieved: int
    planned: int


class RateWindow:
    """Achieved and planned events per second over the last `seconds`, or since the start if that is less."""

    def __init__(self, start: Sample, seconds: int = 10) -> None:
        self._samples = deque([start], maxlen=seconds + 1)

    def sample(self, sample: Sample) -> None:
        """Offer the counters as often as you like; about one a second is kept."""
        if sample.now_ns - self._samples[-1].now_ns >= _SECOND_NS:
            self._samples.append(sample)

    def rates(self, now: Sample) -> tuple[float, float]:
        """(achieved, planned) per second from the oldest sample to `now`."""
        return rates_between(self._samples[0], now)


def rates_between(first: Sample, last: Sample) -> tuple[float, float]:
    """(achieved, planned) events per second from one sample to another."""
    seconds = max(last.now_ns - first.now_ns, 1) / _SECOND_NS
    if seconds < 1e-3:
        return 0.0, 0.0
    return (last.achieved - first.achieved) / seconds, (last.planned - first.planned) / seconds
