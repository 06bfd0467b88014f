"""Rows: what the driver and the probes say, put together."""

import json
import os
import threading

import pytest

from odin_ws.errors import ExitCode
from odin_ws.home import Home
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.health import ProcessMeter, examine, last_words, run_together, state_text, worst_exit_code
from odin_ws.stack.probes import Outcome
from odin_ws.stack.states import Health, State
from stack_doubles import ILL, fake_service, fake_stack

RUNNING = Observed(State.RUNNING, os.getpid(), 1.0)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path).create()


def row_for(home, observed, outcomes=()):
    service = fake_service("ws", outcomes=outcomes)
    (row,) = examine(fake_stack(home, service, ws=observed), [service])
    return row


def test_a_good_row_has_figures_and_no_advice(home):
    row = row_for(home, RUNNING)
    assert (row.state, row.health, row.exit_code) == (State.RUNNING, Health.HEALTHY, ExitCode.OK)
    assert row.detail == "all is well"
    assert row.memory_mb > 1
    assert row.cpu_percent >= 0
    assert row.next_command == ""


def test_a_starting_service_that_answers_is_running(home):
    assert row_for(home, Observed(State.STARTING)).state is State.RUNNING
    assert row_for(home, Observed(State.STARTING), [ILL]).state is State.STARTING


def test_a_bad_row_has_the_reason_its_last_lines_and_the_next_command(home):
    line = json.dumps({"ts": "2026-11-24T12:00:00Z", "level": "error", "event": "lost the log"})
    (home.logs / "ws.log").write_text(line + "\n")
    row = row_for(home, RUNNING, [ILL])
    assert row.exit_code is ExitCode.UNHEALTHY
    assert row.detail == "feed: 12000 records behind"
    assert row.log_tail == ("ERROR   lost the log",)
    assert row.next_command == "./task local:logs:ws"


def test_what_is_not_started_is_not_probed(home):
    row = row_for(home, Observed(), [Outcome(True, "should not be asked")])
    assert (row.health, row.exit_code) == (Health.UNKNOWN, ExitCode.NOT_RUNNING)
    assert row.next_command == "./task local:start:ws"


def test_a_failed_service_tells_how_it_ended(home):
    row = row_for(home, Observed(State.FAILED_TO_START, reason="exit status 1", restarts=4))
    assert row.detail == "crashed too often, given up: exit status 1"
    assert row.exit_code is ExitCode.UNHEALTHY


def test_restarts_are_counted_in_the_state():
    assert state_text(State.RESTARTING, Observed(restarts=1), 4) == "restarting(2/4)"
    assert state_text(State.EXITED, Observed(reason="exit status 3"), 4) == "exited(exit status 3)"
    assert state_text(State.NOT_STARTED, Observed(), 4) == "not_started"


def test_a_bad_row_does_not_stop_the_others(home):
    def explode(settings, home, timeout_seconds):
        raise RuntimeError("probe broke")

    bad = fake_service("bad")
    bad = type(bad)(**{**vars(bad), "probe": explode})
    good = fake_service("good")
    rows = examine(fake_stack(home, bad, good, bad=RUNNING, good=RUNNING), [bad, good])
    assert [row.health for row in rows] == [Health.UNHEALTHY, Health.HEALTHY]
    assert rows[0].detail == "the probe failed: probe broke"
    assert worst_exit_code(rows) is ExitCode.UNHEALTHY


def test_the_worst_row_decides(home):
    up, down = fake_service("up"), fake_service("down")
    rows = examine(fake_stack(home, up, down, up=RUNNING), [up, down])
    assert worst_exit_code(rows) is ExitCode.NOT_RUNNING
    assert worst_exit_code([]) is ExitCode.OK


def test_a_task_that_hangs_does_not_hold_up_the_others():
    release = threading.Event()
    results = run_together([release.wait, lambda: "quick"], 0.1, lambda error: "late")
    release.set()
    assert results == ["late", "quick"]


def test_last_words_are_empty_without_a_log(home):
    service = fake_service("ws")
    assert last_words(fake_stack(home, service), service) == ""


def test_the_meter_knows_nothing_of_processes_that_are_gone():
    meter = ProcessMeter([None, 2**22 + 1])
    meter.read()
    assert meter.of(None) == (None, None)
    assert meter.of(2**22 + 1) == (None, None)
