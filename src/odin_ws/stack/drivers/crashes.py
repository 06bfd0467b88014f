"""Runs inside supervisord: counts crashes, spaces restarts, and gives up on the fifth crash in a minute.

supervisord alone gives up only on crashes shortly after a start. As one of its RPC interfaces this module
hears every change of a process's state, and offers `odin.begin`, `odin.give_up`, `odin.forget` and
`odin.counts`. Only supervisor and the standard library are imported here, to keep supervisord small.
"""

import time
from collections import deque
from typing import Any

from supervisor import events
from supervisor.states import ProcessStates

#: So many crashes within the window and the service has failed.
CRASH_LIMIT = 5
WINDOW_SECONDS = 60.0
#: Pause before the 1st, 2nd, … restart of a service that crashes soon after its start.
PAUSE_SECONDS = (0.3, 0.6, 1.0, 1.5)


class CrashCount:
    """Crashes and starts of one service since its last explicit start."""

    def __init__(self) -> None:
        self.starts = 0
        self._crashes: deque[float] = deque()

    def crashed(self, now: float) -> bool:
        """Note a crash; True when it is one too many."""
        self._crashes.append(now)
        while self._crashes[0] <= now - WINDOW_SECONDS:
            self._crashes.popleft()
        return len(self._crashes) >= CRASH_LIMIT

    @property
    def restarts(self) -> int:
        """Starts after the explicit one."""
        return max(0, self.starts - 1)


class CrashInterface:
    """The `odin` namespace of supervisord's RPC interface."""

    def __init__(self, supervisord: Any) -> None:
        self._supervisord = supervisord
        self._counts: dict[str, CrashCount] = {}
        events.subscribe(events.ProcessStateStartingEvent, self._starting)
        events.subscribe(events.ProcessStateExitedEvent, self._exited)
        events.subscribe(events.ProcessStateBackoffEvent, self._backing_off)

    def begin(self, name: str) -> bool:
        """An explicit start follows: count from zero."""
        self._counts[name] = CrashCount()
        return True

    def counts(self) -> dict[str, int]:
        """Automatic restarts by service."""
        return {name: count.restarts for name, count in self._counts.items()}

    def give_up(self, name: str) -> bool:
        """Make a service that waits for its next restart fail now; False when it does not wait."""
        process = self._supervisord.process_groups[name].processes[name]
        if process.state != ProcessStates.BACKOFF:
            return False
        process.give_up()
        return True

    def forget(self, name: str) -> bool:
        """After an explicit stop a service that failed is simply not started."""
        process = self._supervisord.process_groups[name].processes[name]
        if process.state in (ProcessStates.FATAL, ProcessStates.EXITED):
            process.state = ProcessStates.STOPPED
        self._counts.pop(name, None)
        return True

    def _count(self, event: Any) -> CrashCount:
        return self._counts.setdefault(str(event.process.config.name), CrashCount())

    def _starting(self, event: Any) -> None:
        self._count(event).starts += 1

    def _exited(self, event: Any) -> None:
        """It had been up for a while: supervisord starts it again at once, unless it crashes too often."""
        if self._count(event).crashed(time.time()):
            _give_up_next(event.process)

    def _backing_off(self, event: Any) -> None:
        process = event.process
        if self._count(event).crashed(time.time()):
            process.backoff = process.config.startretries + 1
        else:
            pause = PAUSE_SECONDS[min(process.backoff, len(PAUSE_SECONDS)) - 1]
            process.delay = time.time() + pause


def _give_up_next(process: Any) -> None:
    """Put an exited process where supervisord's next round turns it into FATAL instead of starting it."""
    process.state = ProcessStates.BACKOFF
    process.backoff = process.config.startretries + 1


def make_interface(supervisord: Any, **_: Any) -> CrashInterface:
    """The factory that supervisord's configuration names."""
    return CrashInterface(supervisord)
