"""One run of the publisher: a simulator, its pacer, what waits for the log, and what was counted.

A run takes what is due, holds it until the log acknowledged it, then takes more: at most one batch waits,
so an outage costs no memory, and no event is made twice. The times come in, in nanoseconds of the
monotonic clock; nothing here waits, locks or touches the log.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from odin_ws.eventlog.base import Draft
from odin_ws.publisher.counts import Counts, RateWindow, Sample, rates_between
from odin_ws.publisher.pacer import Pacer
from odin_ws.publisher.simulator import Simulator

_MS_NS = 1_000_000


class Run:
    """From one `start` to the next `stop`.

    Args:
        simulator: makes the events.
        pacer: says when.
        now_ns: monotonic time of the start.
        unix_ns: the same moment as Unix time.
    """

    def __init__(self, simulator: Simulator, pacer: Pacer, now_ns: int, unix_ns: int) -> None:
        self.simulator = simulator
        self.pacer = pacer
        self.counts = Counts()
        self.since = datetime.fromtimestamp(unix_ns / 1e9, UTC)
        self.waiting: list[Draft] = []
        self.ended_ns: int | None = None
        self._planned_ns: list[int] = []
        self._has_failed = False
        self._start = Sample(now_ns, 0, 0)
        self._window = RateWindow(self._start)

    def take(self, now_ns: int, unix_ns: int, max_batch: int) -> Sequence[Draft]:
        """What to append now: what already waits, or else the events that are due."""
        self._window.sample(self._sample(now_ns))
        self.counts.retries += self._has_failed
        if not self.waiting:
            self._planned_ns = self.pacer.take(now_ns, max_batch)
            ahead_ns = unix_ns - now_ns
            self.waiting = self.simulator.batch((t + ahead_ns) // _MS_NS for t in self._planned_ns)
        return self.waiting

    def acknowledged(self, now_ns: int, append_ns: int) -> None:
        """The log has what `take` gave; the append took `append_ns`."""
        topics = (draft.topic for draft in self.waiting)
        lateness_ms = ((now_ns - planned_ns) / _MS_NS for planned_ns in self._planned_ns)
        self.counts.acknowledged(topics, lateness_ms, append_ns / _MS_NS)
        self.waiting, self._has_failed = [], False

    def failed(self) -> None:
        """The log has nothing of what `take` gave; it goes on waiting."""
        self.counts.errors += 1
        self._has_failed = True

    def end(self, now_ns: int) -> None:
        """Close the books: what still waits is counted as unsent."""
        self.ended_ns = now_ns
        self.counts.unsent += len(self.waiting)
        self.waiting = []
        self.counts.planned = self.pacer.planned(now_ns)
        self.counts.skipped = self.pacer.skipped

    def books(self, now_ns: int) -> Counts:
        """The counters as of now, in an object of their own."""
        books = Counts()
        books.merge(self.counts)
        if self.ended_ns is None:
            books.planned, books.skipped = self.pacer.planned(now_ns), self.pacer.skipped
        return books

    def recent_rates(self, now_ns: int) -> tuple[float, float]:
        """(achieved, planned) events per second over the last 10 s of the run."""
        return self._window.rates(self._sample(self.ended_ns or now_ns))

    def overall_rates(self, now_ns: int) -> tuple[float, float]:
        """(achieved, planned) events per second since the start of the run."""
        return rates_between(self._start, self._sample(self.ended_ns or now_ns))

    def _sample(self, now_ns: int) -> Sample:
        return Sample(now_ns, self.counts.total, self.pacer.planned(now_ns))
