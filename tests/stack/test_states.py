"""States and what they mean for exit codes."""

import pytest

from odin_ws.errors import ExitCode
from odin_ws.stack.states import ALIVE, GONE, TRANSITIONS, Health, State, exit_code_of, may_follow


@pytest.mark.parametrize(
    ("state", "health", "code"),
    [
        (State.RUNNING, Health.HEALTHY, ExitCode.OK),
        (State.SKIPPED, Health.UNKNOWN, ExitCode.OK),
        (State.RUNNING, Health.UNHEALTHY, ExitCode.UNHEALTHY),
        (State.STARTING, Health.UNHEALTHY, ExitCode.UNHEALTHY),
        (State.RESTARTING, Health.UNKNOWN, ExitCode.UNHEALTHY),
        (State.FAILED_TO_START, Health.UNKNOWN, ExitCode.UNHEALTHY),
        (State.EXITED, Health.UNKNOWN, ExitCode.UNHEALTHY),
        (State.NOT_STARTED, Health.UNKNOWN, ExitCode.NOT_RUNNING),
    ],
)
def test_a_row_has_the_exit_code_of_its_state_and_health(state, health, code):
    assert exit_code_of(state, health) is code


def test_every_state_has_transitions_and_none_leads_nowhere():
    assert set(TRANSITIONS) == set(State)
    assert all(TRANSITIONS.values())


def test_a_service_cannot_run_without_having_started():
    assert not may_follow(State.NOT_STARTED, State.RUNNING)
    assert may_follow(State.STARTING, State.RUNNING)
    assert may_follow(State.RUNNING, State.RUNNING)


def test_a_service_that_has_exited_is_not_alive():
    assert not ALIVE & GONE
