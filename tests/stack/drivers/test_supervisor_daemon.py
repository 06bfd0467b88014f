"""supervisord of a home: detached, found again, ended without a trace."""

import os
import signal

import psutil
import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import StackSettings
from odin_ws.stack.drivers.supervisor_config import render, socket_path
from odin_ws.stack.drivers.supervisor_daemon import SupervisorDaemon, interrupts_later
from odin_ws.stack.records import read_record


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def daemon(home):
    daemon = SupervisorDaemon(home)
    yield daemon
    daemon.end(5)


def start(daemon, home):
    daemon.start(render(home, ["ws"], StackSettings()))
    return read_record(home, "supervisord")


@pytest.mark.integration
def test_it_answers_once_started_and_is_gone_once_ended(home, daemon):
    assert not daemon.answers()
    record = start(daemon, home)
    assert daemon.answers()
    assert daemon.runs()
    daemon.end(5)
    assert not daemon.runs()
    assert not psutil.pid_exists(record.pid)
    assert not socket_path(home).exists()


@pytest.mark.integration
def test_it_holds_no_terminal_and_none_of_our_descriptors(home, daemon):
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    process = psutil.Process(start(daemon, home).pid)
    assert process.terminal() is None
    assert os.getsid(process.pid) == process.pid
    os.close(writer)
    assert os.read(reader, 1) == b""
    os.close(reader)


@pytest.mark.integration
def test_remains_of_a_killed_one_are_no_obstacle(home, daemon):
    os.kill(start(daemon, home).pid, signal.SIGKILL)
    daemon._process.wait()
    assert not daemon.answers()
    assert not daemon.runs()
    start(daemon, home)
    assert daemon.answers()


@pytest.mark.integration
def test_what_keeps_it_from_starting_is_told(home, daemon):
    with pytest.raises(OdinError) as told:
        daemon.start("[supervisord]\nminfds=many\n")
    assert told.value.exit_code is ExitCode.START_FAILED
    assert "'many'" in told.value.message


def test_an_interrupt_is_held_back_for_the_moment_and_not_lost():
    done = []

    def work():
        with interrupts_later():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("recorded")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["recorded"]
