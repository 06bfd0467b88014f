"""Records of processes: pid and start time together."""

import os
import subprocess
import sys

import pytest

from odin_ws.home import Home
from odin_ws.stack.records import (
    PidRecord,
    end_processes,
    is_alive,
    read_record,
    record_this_process,
    remove_record,
    start_time,
    write_record,
)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def record_of(process):
    return PidRecord("ws", process.pid, start_time(process.pid))


def test_a_record_is_read_as_it_was_written(home):
    record = PidRecord("ws", 7, 12.5, {"gateway": {"port": 4005}})
    write_record(home, record)
    assert read_record(home, "ws") == record


def test_there_is_no_record_of_what_never_ran(home):
    assert read_record(home, "ws") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_record_is_none(home, text):
    home.create()
    (home.run / "ws.pid.json").write_text(text)
    assert read_record(home, "ws") is None


def test_a_removed_record_is_gone_and_removing_again_is_fine(home):
    write_record(home, PidRecord("ws", 7, 12.5))
    remove_record(home, "ws")
    remove_record(home, "ws")
    assert read_record(home, "ws") is None


def test_a_service_records_itself_with_its_settings(home):
    record_this_process(home, "ws", {"gateway": {"port": 4005}})
    record = read_record(home, "ws")
    assert record.pid == os.getpid()
    assert record.settings == {"gateway": {"port": 4005}}
    assert is_alive(record)


def test_another_process_with_the_same_pid_is_not_the_recorded_one():
    assert not is_alive(PidRecord("ws", os.getpid(), start_time(os.getpid()) - 100))


def test_a_process_that_ended_is_not_alive_even_unreaped(sleeper):
    record = record_of(sleeper)
    assert is_alive(record)
    assert end_processes([record], 5) == [record]
    assert not is_alive(record)


def test_a_process_that_ignores_sigterm_is_killed():
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        end_processes([record_of(process)], 0.1)
        assert process.wait() == -9


def test_nothing_is_ended_that_the_record_does_not_fit(sleeper):
    assert end_processes([PidRecord("ws", sleeper.pid, 1.0)], 0.1) == []
    assert sleeper.poll() is None
