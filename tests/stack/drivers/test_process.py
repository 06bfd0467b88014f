"""The process driver with small services that are real processes."""

import os
import signal

import psutil
import pytest

from odin_ws.home import Home
from odin_ws.settings import Settings, StackSettings
from odin_ws.stack.drivers.process import STATES, ProcessDriver
from odin_ws.stack.records import read_record
from odin_ws.stack.services import Service
from odin_ws.stack.states import State
from stack_doubles import WELL
from support import wait_until

pytestmark = pytest.mark.integration

SLEEP = "import os, sys, time; print('up', os.environ.get('ODIN_LOG_POLL_MS'), flush=True); time.sleep(60)"
CRASH = "import sys, time; print('no good', flush=True); sys.exit(3)"


def service(name, script=SLEEP, needs=()):
    return Service(name, name, needs, ("-c", script), lambda *_: WELL)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def make(home, tmp_path):
    made = []

    def make(*services):
        driver = ProcessDriver(home, Settings(), services, tmp_path)
        made.append(driver)
        return driver

    yield make
    for driver in made:
        driver.shut_down()


def state(driver, name):
    return driver.observe()[name].state


def test_nothing_is_started_and_nothing_is_made_by_looking(make, home):
    driver = make(service("ws"))
    assert state(driver, "ws") is State.NOT_STARTED
    assert not driver.has_orphans()
    assert not home.root.exists()


def test_a_service_starts_is_recorded_and_stops(make, home):
    driver = make(service("ws"))
    driver.start(service("ws"))
    seen = driver.observe()["ws"]
    assert seen.state is State.STARTING
    assert read_record(home, "ws").pid == seen.pid
    assert seen.settings["gateway"]["port"] == 3005
    assert driver.stop([service("ws")]) == ["ws"]
    assert driver.stop([service("ws")]) == []
    assert not psutil.pid_exists(seen.pid)
    assert read_record(home, "ws") is None


def test_a_killed_service_comes_back_and_is_recorded_anew(make, home):
    driver = make(service("ws"))
    driver.start(service("ws"))
    first = driver.observe()["ws"].pid
    os.kill(first, signal.SIGKILL)
    seen = wait_until(lambda: (s := driver.observe()["ws"]).pid not in (None, first) and s, "a restart")
    assert seen.restarts == 1
    assert seen.reason == "terminated by SIGKILL"
    assert read_record(home, "ws").pid == seen.pid


def test_five_crashes_in_a_minute_and_it_has_failed_until_it_is_stopped(make):
    crashing = service("ws", CRASH)
    driver = make(crashing)
    driver.start(crashing)
    wait_until(lambda: state(driver, "ws") is State.FAILED_TO_START, "giving up")
    seen = driver.observe()["ws"]
    assert (seen.restarts, seen.reason) == (4, "exit status 3")
    assert driver.log_files(crashing)[-1].read_text() == "no good\n" * 5
    driver.stop([crashing])
    assert state(driver, "ws") is State.NOT_STARTED


def test_giving_up_ends_the_restarts_at_once(make):
    crashing = service("ws", CRASH)
    driver = make(crashing)
    driver.start(crashing)
    wait_until(lambda: state(driver, "ws") is State.RESTARTING, "a pause between restarts")
    driver.give_up(crashing)
    wait_until(lambda: state(driver, "ws") is State.FAILED_TO_START, "giving up")
    driver.start(service("ws"))
    assert state(driver, "ws") is State.STARTING


def test_settings_of_the_explicit_start_hold_and_the_next_start_takes_new_ones(make, monkeypatch):
    driver = make(service("ws"))
    monkeypatch.setenv("ODIN_LOG_POLL_MS", '5% "a"')
    driver.start(service("ws"))
    log = lambda: (files := driver.log_files(service("ws"))) and files[-1].read_text()  # noqa: E731
    wait_until(lambda: 'up 5% "a"' in (log() or ""), "the first start")
    driver.stop([service("ws")])
    monkeypatch.delenv("ODIN_LOG_POLL_MS")
    driver.start(service("ws"))
    wait_until(lambda: "up None" in log(), "the second start")


def test_services_of_a_killed_supervisord_are_found_and_ended(make, home):
    driver = make(service("ws"))
    driver.start(service("ws"))
    pid = driver.observe()["ws"].pid
    os.kill(read_record(home, "supervisord").pid, signal.SIGKILL)
    wait_until(driver.has_orphans, "an orphan")
    assert driver.clean_orphans() == ["ws"]
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert not driver.has_orphans()


def test_shut_down_leaves_neither_process_nor_run_directory(make, home):
    driver = make(service("log"), service("ws", needs=("log",)))
    driver.start(service("log"))
    driver.start(service("ws"))
    pids = [seen.pid for seen in driver.observe().values()] + [read_record(home, "supervisord").pid]
    driver.shut_down()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not home.run.exists()


def test_another_home_is_not_disturbed(make, tmp_path):
    driver = make(service("ws"))
    driver.start(service("ws"))
    other = ProcessDriver(Home(tmp_path / "other"), Settings(), (service("ws"),), tmp_path)
    other.start(service("ws"))
    other.shut_down()
    assert state(driver, "ws") is State.STARTING


def test_a_changed_table_reaches_a_running_supervisord(make, home, tmp_path):
    make(service("ws")).start(service("ws"))
    settings = Settings(stack=StackSettings(stop_timeout_seconds=3))
    wider = ProcessDriver(home, settings, (service("ws"), service("extra")), tmp_path)
    wider.start(service("extra"))
    assert {name: seen.state for name, seen in wider.observe().items()} == {
        "ws": State.STARTING,
        "extra": State.STARTING,
    }


def test_every_state_of_supervisord_has_a_word():
    from supervisor.states import ProcessStates

    assert {name for name in vars(ProcessStates) if name.isupper()} == set(STATES)
