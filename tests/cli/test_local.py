"""start, stop, restart, rebuild, delete and down, on doubles."""

import json

import pytest

from odin_ws.errors import ExitCode
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.states import State
from stack_doubles import ILL, fake_service, fake_stack

RUNNING = Observed(State.RUNNING, None, 1.0)


@pytest.fixture
def stack(home, use_stack):
    log = fake_service("redpanda", keeps_data=True)
    return use_stack(fake_stack(home, log, fake_service("ws", ("redpanda",), buildable=True)))


def test_start_shows_the_service_and_what_it_needs(run, stack):
    ran = run("local", "start", "ws", "-o", "json")
    assert ran.code == 0
    assert [row["service"] for row in json.loads(ran.out)["services"]] == ["redpanda", "ws"]
    assert "ws: healthy" in ran.err


def test_a_timeout_is_exit_5(run, home, use_stack):
    use_stack(fake_stack(home, fake_service("ws", outcomes=[ILL])))
    ran = run("local", "start", "ws", "--timeout", "0.1")
    assert ran.code == ExitCode.TIMEOUT
    assert "ws: feed: 12000 records behind" in ran.err


def test_stop_twice_is_fine(run, stack):
    stack.driver.seen["ws"] = RUNNING
    assert run("local", "stop", "ws").err == "ws: stopped\n"
    again = run("local", "stop", "ws")
    assert (again.code, again.err) == (0, "ws: was not running\n")


def test_stop_as_json(run, stack):
    stack.driver.seen["ws"] = RUNNING
    assert json.loads(run("local", "stop", "all", "-o", "json").out) == {"stopped": ["ws"]}


@pytest.mark.parametrize("words", [["delete", "ws"], ["delete", "all"], ["restart", "redpanda"]])
def test_what_removes_something_asks_first(run, stack, words):
    ran = run("local", *words)
    assert ran.code == ExitCode.USAGE
    assert "YES=1" in ran.err
    assert stack.driver.calls == []


def test_yes_answers_as_an_option_or_a_variable(run, stack, home, monkeypatch):
    assert "removed logs of ws" in run("local", "delete", "ws", "--yes").err
    monkeypatch.setenv("YES", "1")
    ran = run("local", "delete", "all", "-o", "json")
    assert str(home.base) in json.loads(ran.out)["removed"][0]
    assert run("local", "delete", "all").err == "removed nothing: there was nothing\n"


def test_restart_of_the_log_begins_an_empty_one(run, stack, home):
    home.log_file.write_text("records")
    ran = run("local", "restart", "redpanda", "--yes")
    assert ran.code == 0
    assert not home.log_file.exists()
    assert stack.driver.calls[-1] == "start redpanda"


def test_restart_and_rebuild_of_a_service(run, stack):
    stack.driver.seen.update(redpanda=RUNNING, ws=RUNNING)
    assert run("local", "restart", "ws").code == 0
    assert run("local", "rebuild", "ws").code == 0
    assert stack.driver.calls == ["stop ws", "start ws"] * 2


def test_down_says_that_data_stays(run, stack):
    stack.driver.seen["ws"] = RUNNING
    assert run("local", "down").err == "stopped: ws; data stays\n"
    assert run("local", "down").err == "nothing was running\n"
    assert json.loads(run("local", "down", "-o", "json").out) == {"stopped": []}
