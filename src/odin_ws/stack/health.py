"""How the services are: one `Row` each, all probes at once, each with a deadline of its own.

Never stops at the first bad row. A bad row says why, what its log said last, and which command comes next.
Turning rows into text is the command line's work.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from odin_ws.errors import ExitCode
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.probes import Outcome
from odin_ws.stack.services import Service
from odin_ws.stack.stack import Stack
from odin_ws.stack.states import ALIVE, Health, State, exit_code_of

T = TypeVar("T")

#: CPU is measured over at least this long.
CPU_WINDOW_SECONDS = 0.1
LOG_TAIL_LINES = 5


@dataclass(frozen=True)
class Row:
    """One service in a health table; figures are None where there is no process."""

    service: str
    title: str
    state: State
    state_text: str
    health: Health
    where: str
    detail: str
    exit_code: ExitCode
    pid: int | None = None
    uptime_seconds: float | None = None
    restarts: int = 0
    cpu_percent: float | None = None
    memory_mb: float | None = None
    probe_ms: float | None = None
    log_tail: tuple[str, ...] = ()
    next_command: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def examine(stack: Stack, services: Iterable[Service]) -> list[Row]:
    """Observe and probe these services now."""
    chosen = tuple(services)
    observed = stack.driver.observe()
    meter = ProcessMeter([observed[s.name].pid for s in chosen])
    outcomes = probe_all(stack, [s for s in chosen if observed[s.name].state in ALIVE], observed)
    meter.read()
    return [row_of(stack, s, observed[s.name], outcomes.get(s.name), meter) for s in chosen]


def worst_exit_code(rows: Iterable[Row]) -> ExitCode:
    """The exit code of a health command: not running is worse than unhealthy, unhealthy than ok."""
    return max((row.exit_code for row in rows), default=ExitCode.OK)


def probe_all(
    stack: Stack, services: Sequence[Service], observed: Mapping[str, Observed]
) -> dict[str, Outcome]:
    """Probe services side by side; one that does not return in time counts as failed."""
    timeout = stack.settings.stack.probe_timeout_seconds

    def task(service: Service) -> Callable[[], Outcome]:
        settings = stack.settings_of(observed[service.name])
        return lambda: service.probe(settings, stack.home, timeout)

    def late(error: BaseException | None) -> Outcome:
        if error is not None:
            return Outcome(False, f"the probe failed: {error or type(error).__name__}")
        return Outcome(False, f"the probe did not end within {timeout:g} s")

    results = run_together([task(service) for service in services], timeout + 0.2, late)
    return {service.name: outcome for service, outcome in zip(services, results, strict=True)}


def run_together(
    tasks: Sequence[Callable[[], T]], timeout_seconds: float, late: Callable[[BaseException | None], T]
) -> list[T]:
    """Results of all tasks, in order; `late(error)` stands for one that failed or, with None, is late.

    Daemon threads: a task that hangs must not keep the command from ending.
    """
    results: dict[int, T] = {}

    def run(index: int, task: Callable[[], T]) -> None:
        try:
            results[index] = task()
        except Exception as error:
            results[index] = late(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [results[index] if index in results else late(None) for index in range(len(tasks))]


def row_of(
    stack: Stack, service: Service, observed: Observed, outcome: Outcome | None, meter: "ProcessMeter"
) -> Row:
    """Put together what the driver and the probe said about one service."""
    health = Health.UNKNOWN if outcome is None else Health.HEALTHY if outcome.ok else Health.UNHEALTHY
    state = settled(observed.state, health)
    code = exit_code_of(state, health)
    cpu_percent, memory_mb = meter.of(observed.pid)
    return Row(
        service=service.name,
        title=service.title,
        state=state,
        state_text=state_text(state, observed, stack.driver.max_restarts),
        health=health,
        where=service.where(service, stack.settings_of(observed), stack.home),
        detail=detail_of(state, observed, outcome),
        exit_code=code,
        pid=observed.pid,
        uptime_seconds=max(0.0, time.time() - observed.started_at) if observed.started_at else None,
        restarts=observed.restarts,
        cpu_percent=cpu_percent,
        memory_mb=memory_mb,
        probe_ms=round(outcome.latency_ms, 1) if outcome else None,
        log_tail=_log_tail(stack, service) if code is ExitCode.UNHEALTHY else (),
        next_command=next_command(service, state, code),
        details=outcome.details if outcome else {},
    )


def settled(state: State, health: Health) -> State:
    """A process that answers its probe runs, however short; before that it is starting."""
    return State.RUNNING if state is State.STARTING and health is Health.HEALTHY else state


def state_text(state: State, observed: Observed, max_restarts: int) -> str:
    """The state as people read it: restarting(2/4), exited(exit status 1)."""
    if state is State.RESTARTING:
        return f"restarting({min(observed.restarts + 1, max_restarts)}/{max_restarts})"
    if state is State.EXITED:
        return f"exited({observed.reason or 'unknown'})"
    return str(state)


def detail_of(state: State, observed: Observed, outcome: Outcome | None) -> str:
    """One line: what the probe said, or how the service ended."""
    if state is State.FAILED_TO_START:
        return f"crashed too often, given up: {observed.reason or 'no reason known'}"
    if state is State.RESTARTING:
        return f"ended: {observed.reason or 'no reason known'}; it is started again"
    if outcome is None:
        return ""
    if observed.restarts and observed.reason:
        return f"{outcome.summary}; last end: {observed.reason}"
    return outcome.summary


def next_command(service: Service, state: State, code: ExitCode) -> str:
    """What to type next about a bad row; empty for a good one."""
    if code is ExitCode.OK:
        return ""
    if code is ExitCode.NOT_RUNNING:
        return f"./task local:start:{service.name}"
    return f"./task local:logs:{service.name}"


def last_words(stack: Stack, service: Service) -> str:
    """The last lines of a service's log, indented under a message that ends before them."""
    lines = _log_tail(stack, service)
    return "; its log ends with:" + "".join(f"\n    {line}" for line in lines) if lines else ""


def _log_tail(stack: Stack, service: Service) -> tuple[str, ...]:
    from odin_ws.stack.logs import last_messages

    return tuple(last_messages(stack.driver.log_files(service), LOG_TAIL_LINES))


class ProcessMeter:
    """CPU and memory of processes between two moments: its making and `read`."""

    def __init__(self, pids: Iterable[int | None]) -> None:
        self._began = time.monotonic()
        self._before = {pid: self._sample(pid) for pid in pids if pid is not None}
        self._figures: dict[int, tuple[float, float]] = {}

    def read(self) -> None:
        """Take the second sample, after the window at the earliest."""
        if not self._before:
            return
        time.sleep(max(0.0, self._began + CPU_WINDOW_SECONDS - time.monotonic()))
        seconds = time.monotonic() - self._began
        for pid, before in self._before.items():
            after = self._sample(pid)
            if before and after:
                self._figures[pid] = (100 * (after[0] - before[0]) / seconds, after[1])

    def of(self, pid: int | None) -> tuple[float | None, float | None]:
        """CPU in percent of one core and memory in MB; None for a process that is not there."""
        if pid is None or pid not in self._figures:
            return None, None
        cpu_percent, memory_mb = self._figures[pid]
        return round(cpu_percent, 1), round(memory_mb, 1)

    @staticmethod
    def _sample(pid: int) -> tuple[float, float] | None:
        import psutil

        try:
            process = psutil.Process(pid)
            times = process.cpu_times()
            return times.user + times.system, process.memory_info().rss / 1e6
        except psutil.Error:
            return None
