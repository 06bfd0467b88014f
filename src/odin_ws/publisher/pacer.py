"""When events are due: planned times at a rate, kept through stalls, without bursts.

Event n of a run is due when `rate` integrated over time reaches n; a change of rate continues from that
moment. What a stall left behind is released at no more than `catch_up_factor` times the rate, and what
is later than `max_backlog_seconds` is skipped and counted. Pure: every call is given the time, in
nanoseconds of any clock that only moves forward. It neither waits nor makes events (see engine.py).
"""

import math
from collections import deque
from dataclasses import dataclass

_SECOND_NS = 1_000_000_000

#: How much of its rate a throttle may give at once after it was not asked for a while, in seconds.
BURST_SECONDS = 0.005

#: By how much, relative and absolute, the count of due events may be rounded down.
_RELATIVE, _ABSOLUTE = 1 + 1e-15, 1e-9


class Throttle:
    """Spaces releases so that no second holds more than `rate` of them (and one at least).

    It is a virtual schedule: `_ready_ns` is when the next release may come; it lags the present by
    `BURST_SECONDS` at most, and the spacing makes up for that.

    Args:
        rate: releases per second; `math.inf` lets everything through.
    """

    def __init__(self, rate: float) -> None:
        self._ready_ns = 0.0
        self._spacing_ns = _spacing_ns(rate)

    def change_rate(self, rate: float, now_ns: int) -> None:
        """From now on `rate` releases per second; a wait that has begun becomes as much shorter or longer."""
        waiting_ns = max(0.0, self._ready_ns - now_ns)
        if waiting_ns:
            self._ready_ns = now_ns + waiting_ns * _spacing_ns(rate) / self._spacing_ns
        self._spacing_ns = _spacing_ns(rate)

    def allowed(self, now_ns: int, wanted: int) -> int:
        """How many of `wanted` may be released now."""
        if self._spacing_ns == 0:
            return wanted
        base = max(self._ready_ns, now_ns - BURST_SECONDS * _SECOND_NS)
        if now_ns < base:
            return 0
        return min(wanted, math.floor((now_ns - base) / self._spacing_ns) + 1)

    def released(self, now_ns: int, count: int) -> None:
        """Tell that `count` were released now."""
        base = max(self._ready_ns, now_ns - BURST_SECONDS * _SECOND_NS)
        self._ready_ns = base + count * self._spacing_ns

    def ready_ns(self) -> int:
        """When the next release may come, if not now."""
        return math.ceil(self._ready_ns)


def _spacing_ns(rate: float) -> float:
    return _SECOND_NS * (1 + BURST_SECONDS) / rate


@dataclass(frozen=True)
class _Stretch:
    """A time of constant rate: from `start_ns` on, with `begun` events (a fraction counts) due until then."""

    start_ns: int
    begun: float
    rate: float

    def due_until(self, now_ns: int) -> float:
        """Events of the run due until `now_ns`, the fraction towards the next included."""
        return self.begun + (now_ns - self.start_ns) * self.rate / _SECOND_NS

    def planned_ns(self, number: int) -> int:
        """When event `number` (the first of a run is 1) is due."""
        return self.start_ns + math.ceil((number - self.begun) * _SECOND_NS / self.rate)


class Pacer:
    """The plan of one run. The first event is due at the start.

    Args:
        rate: events per second, above 0.
        now_ns: the start.
        catch_up_factor: late events are released at most at this multiple of the rate; at 1 a delay stays.
        max_backlog_seconds: how late an event may be; later ones are skipped; 0 = none is ever skipped.
    """

    def __init__(
        self, rate: float, now_ns: int, *, catch_up_factor: float = 2.0, max_backlog_seconds: float = 10.0
    ) -> None:
        self._stretches = deque([_Stretch(now_ns, 1.0, rate)])
        self._factor = catch_up_factor
        self._backlog_ns = round(max_backlog_seconds * _SECOND_NS)
        self._throttle = Throttle(rate * catch_up_factor)
        self._gone = 0
        self.skipped = 0

    @property
    def rate(self) -> float:
        """Events per second now."""
        return self._stretches[-1].rate

    def planned(self, now_ns: int) -> int:
        """How many events were due until now, taken, waiting or skipped."""
        return math.floor(self._stretches[-1].due_until(now_ns) * _RELATIVE + _ABSOLUTE)

    def backlog(self, now_ns: int) -> int:
        """How many events are due and neither taken nor skipped."""
        return self.planned(now_ns) - self._gone

    def change_rate(self, rate: float, now_ns: int) -> None:
        """Continue at `rate` from now; what was due before stays due at its time."""
        last = self._stretches[-1]
        if last.start_ns == now_ns:
            self._stretches.pop()
        self._stretches.append(_Stretch(now_ns, last.due_until(now_ns), rate))
        self._throttle.change_rate(rate * self._factor, now_ns)

    def take(self, now_ns: int, limit: int) -> list[int]:
        """Planned times, oldest first, of the events to make now: due, within the throttle and `limit`."""
        self._skip_too_late(now_ns)
        count = self._throttle.allowed(now_ns, min(limit, self.backlog(now_ns)))
        if count <= 0:
            return []
        self._throttle.released(now_ns, count)
        times = [self._planned_ns(number) for number in range(self._gone + 1, self._gone + count + 1)]
        self._gone += count
        return times

    def next_ns(self) -> int:
        """When `take` will have an event again; may be in the past."""
        return max(self._planned_ns(self._gone + 1), self._throttle.ready_ns())

    def _planned_ns(self, number: int) -> int:
        """When event `number` is due; forgets the stretches that lie wholly before it."""
        while len(self._stretches) > 1 and self._stretches[1].begun < number:
            self._stretches.popleft()
        return self._stretches[0].planned_ns(number)

    def _skip_too_late(self, now_ns: int) -> None:
        if not self._backlog_ns:
            return
        oldest_ns = now_ns - self._backlog_ns
        while self._planned_ns(self._gone + 1) < oldest_ns:
            last = math.ceil(self._stretches[0].due_until(oldest_ns)) - 1
            if len(self._stretches) > 1:
                last = min(last, math.floor(self._stretches[1].begun))
            last = max(last, self._gone + 1)
            self.skipped += last - self._gone
            self._gone = last
