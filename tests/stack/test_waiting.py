"""Bringing services up: order, what is told, and how it ends."""

import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.states import State
from odin_ws.stack.waiting import bring_up
from stack_doubles import ILL, WELL, fake_service, fake_stack


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path).create()


def bring(stack, timeout_seconds=5.0):
    told = []
    try:
        bring_up(stack, stack.services, timeout_seconds, lambda s, words: told.append(f"{s.name} {words}"))
    finally:
        stack.driver.calls.append("|")
    return told


def test_a_service_starts_when_what_it_needs_is_healthy(home):
    log = fake_service("log", outcomes=[ILL, WELL])
    ws, publisher = fake_service("ws", ("log",)), fake_service("publisher", ("log",))
    stack = fake_stack(home, log, ws, publisher)
    told = bring(stack)
    assert stack.driver.calls == ["start log", "start ws", "start publisher", "|"]
    assert told[:3] == ["log starting", "ws waiting(log)", "publisher waiting(log)"]
    assert told.index("log healthy") < told.index("ws starting")


def test_only_changes_are_told(home):
    told = bring(fake_stack(home, fake_service("log", outcomes=[ILL, ILL, ILL, WELL])))
    assert told == ["log starting", "log healthy"]


def test_what_runs_already_is_left_alone(home):
    log = fake_service("log")
    stack = fake_stack(home, log, log=Observed(State.RUNNING, 1, 1.0))
    assert bring(stack) == ["log healthy"]
    assert stack.driver.calls == ["|"]


@pytest.mark.parametrize("state", [State.RESTARTING, State.FAILED_TO_START, State.EXITED])
def test_what_crashed_before_is_started_again(home, state):
    stack = fake_stack(home, fake_service("log"), log=Observed(state))
    assert bring(stack) == ["log starting", "log healthy"]


def test_it_ends_at_once_when_a_service_exits(home):
    stack = fake_stack(home, fake_service("log", outcomes=[ILL]))
    stack.driver.lives["log"] = [State.NOT_STARTED, State.STARTING, State.RESTARTING]
    with pytest.raises(OdinError) as failed:
        bring(stack)
    assert failed.value.exit_code is ExitCode.START_FAILED
    assert "log did not start" in failed.value.message
    assert failed.value.remedy == "./task local:logs:log"
    assert "give up log" in stack.driver.calls


def test_a_timeout_names_what_each_service_waits_for(home):
    stack = fake_stack(home, fake_service("log", outcomes=[ILL]), fake_service("ws", ("log",)))
    with pytest.raises(OdinError) as failed:
        bring(stack, 0.15)
    assert failed.value.exit_code is ExitCode.TIMEOUT
    assert "log: feed: 12000 records behind" in failed.value.message
    assert "ws: waits for log" in failed.value.message
