"""health, status, urls and logs, on doubles."""

import json

import pytest

from odin_ws.errors import ExitCode
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.states import State
from stack_doubles import ILL, fake_service, fake_stack

RUNNING = Observed(State.RUNNING, None, 1.0)


@pytest.fixture
def stack(home, use_stack):
    good, bad = fake_service("redpanda"), fake_service("ws", outcomes=[ILL])
    return use_stack(fake_stack(home, good, bad, redpanda=RUNNING, ws=RUNNING))


@pytest.mark.parametrize("words", [["health", "all"], ["health"], ["status"]])
def test_the_worst_row_is_the_exit_code(run, stack, words):
    ran = run("local", *words)
    assert ran.code == ExitCode.UNHEALTHY
    assert "try: ./task local:logs:ws" in ran.err


def test_one_good_service_is_exit_0(run, stack):
    assert run("local", "health", "redpanda").code == 0


def test_detailed_is_json_whatever_is_asked(run, stack):
    document = json.loads(run("local", "health", "detailed").out)
    assert document["services"][0]["details"] == {"figure": 1}


def test_nothing_started_is_exit_7_and_says_so(run, home, use_stack):
    use_stack(fake_stack(home, fake_service("redpanda"), fake_service("ws")))
    ran = run("local", "health", "all")
    assert ran.code == ExitCode.NOT_RUNNING
    assert ran.err == "nothing is started; start it with: ./task up\n"


def test_orphans_are_swept_and_told(run, stack):
    stack.driver.orphans = ["ws"]
    assert "left running: ws" in run("local", "status").err


def test_urls_as_json(run, stack):
    assert json.loads(run("local", "urls", "-o", "json").out) == {"urls": []}


def write_log(home):
    lines = [
        json.dumps({"ts": f"2026-11-24T12:00:0{n}Z", "level": level, "event": f"event {n}"})
        for n, level in enumerate(["info", "error", "info"])
    ]
    (home.logs / "ws.log").write_text("\n".join(lines) + "\n")


def test_logs_with_filters_from_the_environment(run, stack, home, monkeypatch):
    write_log(home)
    assert len(run("local", "logs", "ws").out.splitlines()) == 3
    monkeypatch.setenv("LEVEL", "error")
    assert run("local", "logs", "all").out.endswith(" ws       | ERROR   event 1\n")
    monkeypatch.setenv("LEVEL", "")
    monkeypatch.setenv("TAIL", "1")
    monkeypatch.setenv("FORMAT", "json")
    assert [line["fields"]["event"] for line in json.loads(run("local", "logs", "ws").out)] == ["event 2"]


def test_logs_of_what_never_ran_are_empty(run, stack):
    ran = run("local", "logs", "redpanda")
    assert (ran.code, ran.out) == (0, "")
