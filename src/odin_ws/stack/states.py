"""The words for what a service is doing, and which of them mean what.

`State` is the life of the service as its driver sees it; `Health` is what the service's own probe said.
They are two columns everywhere: a process can be `running` and `unhealthy`. Pure; no I/O.
"""

from enum import StrEnum

from odin_ws.errors import ExitCode


class State(StrEnum):
    """Where a service is in its life."""

    NOT_STARTED = "not_started"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    EXITED = "exited"
    FAILED_TO_START = "failed_to_start"
    SKIPPED = "skipped"


class Health(StrEnum):
    """What the probe of a service said; `unknown` where there was nothing to probe."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


#: States with a process behind them.
ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING})
#: States that end a wait for health at once: the service has exited.
GONE = frozenset({State.RESTARTING, State.EXITED, State.FAILED_TO_START})

#: What may follow what; a driver that reports another change has misread its service.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.NOT_STARTED: frozenset({State.WAITING, State.STARTING, State.SKIPPED}),
    State.WAITING: frozenset({State.STARTING, State.NOT_STARTED}),
    State.STARTING: frozenset({State.RUNNING, State.STOPPING, *GONE}),
    State.RUNNING: frozenset({State.STOPPING, *GONE}),
    State.RESTARTING: frozenset({State.STARTING, State.NOT_STARTED, State.FAILED_TO_START}),
    State.STOPPING: frozenset({State.NOT_STARTED, State.EXITED}),
    State.EXITED: frozenset({State.WAITING, State.STARTING, State.RESTARTING, State.NOT_STARTED}),
    State.FAILED_TO_START: frozenset({State.WAITING, State.STARTING, State.NOT_STARTED}),
    State.SKIPPED: frozenset({State.NOT_STARTED}),
}


def may_follow(before: State, after: State) -> bool:
    """Whether a service seen in `before` can be in `after` next; staying is always possible."""
    return before == after or after in TRANSITIONS[before]


def exit_code_of(state: State, health: Health) -> ExitCode:
    """What one service means for the exit code of a health command."""
    if state is State.SKIPPED or (state in ALIVE and health is Health.HEALTHY):
        return ExitCode.OK
    if state in (State.NOT_STARTED, State.WAITING):
        return ExitCode.NOT_RUNNING
    return ExitCode.UNHEALTHY
