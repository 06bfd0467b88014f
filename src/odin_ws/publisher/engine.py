"""The publisher: one thread that paces, simulates and appends, and the controls that other threads use.

The thread owns the link to the log and the run in progress. A control only says which run is wanted and
wakes the thread, which changes over between two appends; so a start replaces a running one, a stop is
prompt, and no batch is half done. While the log fails, the same batch is tried again with growing pauses.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from odin_ws.errors import ExitCode, OdinError
from odin_ws.eventlog.base import EventLog
from odin_ws.publisher.counts import Counts
from odin_ws.publisher.log_link import LogLink
from odin_ws.publisher.pacer import Pacer
from odin_ws.publisher.run import Run
from odin_ws.publisher.simulator import Simulator
from odin_ws.settings import PublisherSettings
from odin_ws.structured_log import get_log

_log = get_log(__name__)

#: Events due within this time go into one append; a single event at a low rate leaves at its time.
TICK_NS = 1_000_000
#: How long the log may go untried while nothing is published, in seconds.
PING_SECONDS = 1
#: How long a control waits for the thread to change over; an append that hangs takes longer.
CHANGEOVER_SECONDS = 1.0


class NotRunning(OdinError):
    """A control needs a run in progress and there is none."""

    def __init__(self) -> None:
        super().__init__(
            "the publisher is not running",
            remedy='start it with: POST /start {"rate": 100}',
            exit_code=ExitCode.NOT_RUNNING,
        )


@dataclass(frozen=True)
class PublisherState:
    """What the publisher does now. `rate` is in events per second, 0 when stopped."""

    running: bool
    rate: float
    connected: bool
    problem: str


@dataclass(frozen=True)
class RunReport:
    """Figures of the run in progress or of the last one. Rates are (achieved, planned) per second."""

    since: datetime
    until: datetime | None
    seed: int
    tokens: tuple[str, ...]
    counts: Counts
    waiting: int
    recent_rates: tuple[float, float]
    overall_rates: tuple[float, float]


class Publisher:
    """Publishes the simulator's events to the log at a rate.

    Args:
        open_log: opens the event log, in the publisher's thread.
        settings: batch size, catching up, backlog.
        on_failure: called in the thread when it dies of an unexpected error.
    """

    def __init__(
        self,
        open_log: Callable[[], EventLog],
        settings: PublisherSettings,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._on_failure = on_failure
        self._link = LogLink(open_log)
        self._changed = threading.Condition()
        self._wanted: Run | None = None
        self._run: Run | None = None
        self._last: Run | None = None
        self._ended = Counts()
        self._woken = False
        self._closing = False
        self._spoke_ns = 0
        self._thread = threading.Thread(target=self._work, name="publisher", daemon=True)

    # Controls, for any thread

    def launch(self) -> None:
        """Start the thread; it tries the log and waits for a run."""
        self._thread.start()

    def start(self, rate: float, tokens: Sequence[str], seed: int | None = None) -> None:
        """Publish `rate` events per second for `tokens` from now on, instead of what runs now."""
        now_ns = time.monotonic_ns()
        pacer = Pacer(
            rate,
            now_ns,
            catch_up_factor=self._settings.catch_up_factor,
            max_backlog_seconds=self._settings.max_backlog_seconds,
        )
        run = Run(Simulator(tokens, seed), pacer, now_ns, time.time_ns())
        _log.info("publishing", rate=rate, tokens=len(run.simulator.tokens), seed=run.simulator.seed)
        self._change_over(run)

    def stop(self) -> None:
        """Publish nothing more; fine when nothing runs."""
        self._change_over(None)

    def change_rate(self, rate: float) -> None:
        """Continue the run at `rate` events per second. Raises NotRunning."""
        with self._changed:
            if self._wanted is None:
                raise NotRunning
            self._wanted.pacer.change_rate(rate, time.monotonic_ns())
            self._wake()

    def close(self, timeout_seconds: float = CHANGEOVER_SECONDS) -> bool:
        """Stop and end the thread; returns whether it ended in time."""
        with self._changed:
            self._wanted, self._closing = None, True
            self._wake()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    # Figures, for any thread

    def state(self) -> PublisherState:
        """What it does now."""
        with self._changed:
            run = self._wanted
            return PublisherState(
                running=run is not None,
                rate=run.pacer.rate if run else 0.0,
                connected=self._link.connected,
                problem=self._link.problem,
            )

    def report(self) -> RunReport | None:
        """Figures of the run in progress, else of the last one; None when there has been none."""
        with self._changed:
            run, now_ns = self._wanted or self._last, time.monotonic_ns()
            if run is None:
                return None
            return RunReport(
                since=run.since,
                until=None if run.ended_ns is None else _unix_time_of(run.ended_ns),
                seed=run.simulator.seed,
                tokens=run.simulator.tokens,
                counts=run.books(now_ns),
                waiting=len(run.waiting),
                recent_rates=run.recent_rates(now_ns),
                overall_rates=run.overall_rates(now_ns),
            )

    def totals(self) -> Counts:
        """Counters of all runs since the process began."""
        with self._changed:
            totals = Counts()
            totals.merge(self._ended)
            if self._run is not None:
                totals.merge(self._run.books(time.monotonic_ns()))
            return totals

    # The thread

    def _work(self) -> None:
        try:
            while self._adopt():
                if self._run is None:
                    self._rest()
                else:
                    self._step(self._run)
        except Exception:
            _log.exception("the publisher's thread failed")
            self._on_failure()
        finally:
            self._link.close()

    def _adopt(self) -> bool:
        """Change over to the wanted run; returns False when the thread should end."""
        with self._changed:
            if self._run is not self._wanted:
                if self._run is not None:
                    self._retire(self._run)
                self._run = self._wanted
                self._changed.notify_all()
            return not self._closing

    def _retire(self, run: Run) -> None:
        run.end(time.monotonic_ns())
        self._ended.merge(run.counts)
        self._last = run
        _log.info("stopped", published=run.counts.total, unsent=run.counts.unsent)

    def _rest(self) -> None:
        self._ping_when_silent()
        self._wait(PING_SECONDS)

    def _step(self, run: Run) -> None:
        """Take what is due, append it, wait for the next."""
        with self._changed:
            taken_ns = time.monotonic_ns()
            has_drafts = bool(run.take(taken_ns, time.time_ns(), self._settings.max_batch))
        if not has_drafts:
            self._ping_when_silent()
        elif not self._append(run):
            self._wait(self._link.pause_seconds)
            return
        with self._changed:
            due_ns = max(run.pacer.next_ns(), taken_ns + TICK_NS)
        self._wait(min(PING_SECONDS, (due_ns - time.monotonic_ns()) / 1e9))

    def _append(self, run: Run) -> bool:
        begun_ns = time.monotonic_ns()
        done = self._link.append(run.waiting)
        self._spoke_ns = time.monotonic_ns()
        with self._changed:
            if done:
                run.acknowledged(self._spoke_ns, self._spoke_ns - begun_ns)
            else:
                run.failed()
        return done

    def _ping_when_silent(self) -> None:
        """Try the log when it was not spoken to for a while, so that its state is told as it is."""
        if time.monotonic_ns() - self._spoke_ns >= PING_SECONDS * 1e9:
            self._link.ping()
            self._spoke_ns = time.monotonic_ns()

    def _wait(self, seconds: float) -> None:
        """Wait, but not when a control came since the last wait."""
        with self._changed:
            if not self._woken and seconds > 0:
                self._changed.wait(seconds)
            self._woken = False

    def _change_over(self, run: Run | None) -> None:
        with self._changed:
            self._wanted = run
            self._wake()
            self._changed.wait_for(lambda: self._run is run or self._wanted is not run, CHANGEOVER_SECONDS)

    def _wake(self) -> None:
        self._woken = True
        self._changed.notify_all()


def _unix_time_of(monotonic_ns: int) -> datetime:
    return datetime.fromtimestamp((time.time_ns() - time.monotonic_ns() + monotonic_ns) / 1e9, UTC)
