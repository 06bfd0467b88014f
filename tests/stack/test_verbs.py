"""Verbs on a stack whose driver only remembers."""

import sys

import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack import verbs
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.states import State
from stack_doubles import fake_service, fake_stack

RUNNING = Observed(State.RUNNING, 1, 1.0)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "root").create()


@pytest.fixture
def stack(home):
    return fake_stack(
        home, fake_service("log", keeps_data=True), fake_service("ws", ("log",), buildable=True)
    )


def ignore(*_):
    pass


def test_start_brings_what_is_needed(stack):
    verbs.start(stack, stack.services[1:], 5, ignore, ignore)
    assert stack.driver.calls == ["start log", "start ws"]


def test_start_does_nothing_when_preflight_finds_a_problem(stack):
    with pytest.raises(OdinError) as failed:
        verbs.start(stack, stack.services, 5, ignore, ignore, ["gateway.prot: is no setting"])
    assert failed.value.exit_code is ExitCode.PREFLIGHT
    assert stack.driver.calls == []


def test_start_sweeps_orphans_first_and_says_so(stack):
    stack.driver.orphans = ["ws"]
    told = []
    verbs.start(stack, stack.services, 5, told.append, ignore)
    assert told[0] == "ended what a supervisord that died had left running: ws"


def test_start_tells_when_something_runs_with_other_settings(home):
    then = Settings().model_dump(mode="json")
    then["gateway"]["port"] = 4005
    ws = fake_service("ws", reads=("gateway",))
    stack = fake_stack(home, ws, ws=Observed(State.RUNNING, 1, 1.0, settings=then))
    told = []
    verbs.start(stack, [ws], 5, told.append, ignore)
    assert told == [
        "ws runs with other settings: gateway.port is 4005, not 3005; to apply them: ./task local:restart:ws"
    ]


def test_restart_stops_and_starts_only_what_is_named(stack):
    stack.driver.seen.update(log=RUNNING, ws=RUNNING)
    verbs.restart(stack, stack.services[1:], 5, ignore, ignore)
    assert stack.driver.calls == ["stop ws", "start ws"]


def test_stop_of_a_stack_that_never_ran_makes_nothing(tmp_path):
    home = Home(tmp_path / "root")
    stack = fake_stack(home, fake_service("log"))
    assert verbs.stop(stack, stack.services, 5, ignore) == []
    assert verbs.down(stack, 5, ignore) == []
    assert verbs.delete(stack, stack.services, 5, ignore) == []
    assert not home.root.exists()


def test_delete_of_data_stops_those_who_hold_it_open(stack, home):
    stack.driver.seen.update(log=RUNNING, ws=RUNNING)
    home.log_file.write_text("records")
    (home.logs / "log.log").write_text("line")
    removed = verbs.delete(stack, stack.services[:1], 5, ignore)
    assert stack.driver.calls == ["stop log ws"]
    assert not home.data.exists()
    assert not (home.logs / "log.log").exists()
    assert any(str(home.data) in words for words in removed)


def test_delete_of_a_service_keeps_data_and_other_logs(stack, home):
    home.log_file.write_text("records")
    (home.logs / "log.log").write_text("line")
    (home.logs / "ws.log").write_text("line")
    verbs.delete(stack, stack.services[1:], 5, ignore)
    assert home.log_file.exists()
    assert [path.name for path in home.logs.iterdir()] == ["log.log"]


def test_delete_of_all_leaves_nothing_behind(stack, home):
    home.log_file.write_text("records")
    verbs.delete(stack, stack.services, 5, ignore)
    assert stack.driver.calls == ["shut down"]
    assert not home.root.exists()


def test_recreate_brings_back_what_ran_before(stack, home):
    stack.driver.seen.update(log=RUNNING, ws=RUNNING)
    verbs.recreate(stack, stack.services[:1], 5, ignore, ignore)
    assert stack.driver.calls == ["stop log ws", "start log", "start ws"]


def test_down_says_what_was_running(stack):
    stack.driver.seen.update(ws=RUNNING)
    assert verbs.down(stack, 5, ignore) == ["ws"]
    assert stack.driver.calls == ["shut down"]


def test_down_ends_even_a_driver_that_does_not_answer(stack, monkeypatch):
    def hang():
        raise OdinError("supervisord runs but does not answer")

    monkeypatch.setattr(stack.driver, "observe", hang)
    told = []
    assert verbs.down(stack, 5, told.append) == ["log", "ws"]
    assert stack.driver.calls == ["shut down"]
    assert "ending it all the same" in told[0]


def test_rebuild_restarts_what_can_be_built(stack, monkeypatch):
    monkeypatch.setattr(verbs, "reinstall", ignore)
    verbs.rebuild(stack, stack.services, 5, ignore, ignore)
    assert stack.driver.calls[0] == "stop "
    assert "start ws" in stack.driver.calls


def checkout_whose_launcher_says(tmp_path, monkeypatch, exit_code):
    (tmp_path / ".venv").mkdir()
    launcher = tmp_path / "odin"
    launcher.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))


def test_reinstall_leaves_it_to_the_launcher(tmp_path, monkeypatch):
    checkout_whose_launcher_says(tmp_path, monkeypatch, 0)
    told = []
    verbs.reinstall(tmp_path, told.append)
    assert told == ["bringing .venv up to date"]


def test_a_failed_reinstall_is_told(tmp_path, monkeypatch):
    checkout_whose_launcher_says(tmp_path, monkeypatch, 3)
    with pytest.raises(OdinError, match="could not be installed"):
        verbs.reinstall(tmp_path, ignore)


def test_another_python_than_the_checkouts_reinstalls_nothing(tmp_path):
    told = []
    verbs.reinstall(tmp_path, told.append)
    assert told == []


def test_orphans_are_swept_by_who_only_reads(stack):
    stack.driver.orphans = ["ws"]
    told = []
    verbs.sweep_orphans(stack, told.append)
    verbs.sweep_orphans(stack, told.append)
    assert len(told) == 1
