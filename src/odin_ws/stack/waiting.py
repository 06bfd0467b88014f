"""Brings services up: starts each as soon as what it needs is healthy, and waits until all are.

Ends at once when a service exits, and in time with a message that names what each one still waits for.
Tells only changes. Who holds the lock and what was checked before is the caller's (verbs.py).
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from odin_ws.errors import ExitCode, OdinError
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.health import last_words
from odin_ws.stack.probes import Outcome
from odin_ws.stack.services import Service
from odin_ws.stack.stack import Stack
from odin_ws.stack.states import ALIVE, GONE, State

POLL_SECONDS = 0.06

#: Called with service and words ("healthy", "waiting(redpanda)") whenever they change.
OnChange = Callable[[Service, str], None]


@dataclass
class _Wait:
    """What is known of one service while it comes up."""

    service: Service
    started: bool = False
    healthy: bool = False
    words: str = ""
    pending: str = "has not been started"
    probe: "_RunningProbe | None" = field(default=None)


def bring_up(stack: Stack, services: Sequence[Service], timeout_seconds: float, on_change: OnChange) -> None:
    """Start `services` (given in the table's order, with all they need) and wait until all are healthy.

    Raises:
        OdinError: START_FAILED when one exits meanwhile, TIMEOUT when the time is over.
    """
    waits = [_Wait(service) for service in services]
    deadline = time.monotonic() + timeout_seconds
    while True:
        observed = stack.driver.observe()
        for wait in waits:
            _step(stack, wait, waits, observed[wait.service.name], on_change)
        if all(wait.healthy for wait in waits):
            return
        if time.monotonic() > deadline:
            raise _timed_out(waits, timeout_seconds)
        time.sleep(POLL_SECONDS)


def _step(stack: Stack, wait: _Wait, waits: Sequence[_Wait], observed: Observed, on_change: OnChange) -> None:
    """Take one service as far as it goes now."""
    if wait.healthy:
        return
    if wait.started and observed.state in (*GONE, State.NOT_STARTED):
        raise _start_failed(stack, wait.service, observed)
    if observed.state in ALIVE and observed.state is not State.STOPPING:
        wait.started = True
        _probe(stack, wait, observed)
    elif not wait.started and (needs := _missing(wait.service, waits)):
        wait.pending = f"waits for {', '.join(needs)}"
        _say(wait, f"{State.WAITING}({', '.join(needs)})", on_change)
        return
    elif not wait.started and observed.state is not State.STOPPING:
        stack.driver.start(wait.service)
        wait.started = True
    _say(wait, "healthy" if wait.healthy else str(State.STARTING), on_change)


def _probe(stack: Stack, wait: _Wait, observed: Observed) -> None:
    if wait.probe is None:
        wait.probe = _RunningProbe(stack, wait.service, observed)
    outcome = wait.probe.outcome(POLL_SECONDS)
    if outcome is None:
        return
    wait.healthy, wait.pending, wait.probe = outcome.ok, outcome.summary, None


def _missing(service: Service, waits: Sequence[_Wait]) -> list[str]:
    return [wait.service.name for wait in waits if wait.service.name in service.needs and not wait.healthy]


def _say(wait: _Wait, words: str, on_change: OnChange) -> None:
    if words != wait.words:
        wait.words = words
        on_change(wait.service, words)


class _RunningProbe:
    """One probe in a thread of its own, so that a slow one does not hold up the others."""

    def __init__(self, stack: Stack, service: Service, observed: Observed) -> None:
        self._outcome: Outcome | None = None
        settings, timeout = stack.settings_of(observed), stack.settings.stack.probe_timeout_seconds

        def run() -> None:
            try:
                self._outcome = service.probe(settings, stack.home, timeout)
            except Exception as error:
                self._outcome = Outcome(False, f"the probe failed: {error or type(error).__name__}")

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def outcome(self, patience_seconds: float) -> Outcome | None:
        """What it found; None while it still looks."""
        self._thread.join(patience_seconds)
        return self._outcome


def _start_failed(stack: Stack, service: Service, observed: Observed) -> OdinError:
    stack.driver.give_up(service)
    how = observed.reason or "it exited"
    return OdinError(
        f"{service.title} did not start: {how}" + last_words(stack, service),
        remedy=f"./task local:logs:{service.name}",
        exit_code=ExitCode.START_FAILED,
    )


def _timed_out(waits: Sequence[_Wait], timeout_seconds: float) -> OdinError:
    lines = [f"\n  {wait.service.title}: {wait.pending}" for wait in waits if not wait.healthy]
    first = next(wait.service.name for wait in waits if not wait.healthy)
    return OdinError(
        f"not healthy within {timeout_seconds:g} s:" + "".join(lines),
        remedy=f"./task local:logs:{first}, or a longer TIMEOUT=",
        exit_code=ExitCode.TIMEOUT,
    )
