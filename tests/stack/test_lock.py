"""The lock: one change at a time, and a word about who has it."""

import fcntl
import os
import subprocess
import sys

import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.stack.lock import hold_lock, hold_lock_if_free

HOLD = """
import sys
from pathlib import Path
from odin_ws.home import Home
from odin_ws.stack.lock import hold_lock
sys.argv = ["odin", "local", "up"]
with hold_lock(Home(Path(PLACE)), 1, print):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def other(home):
    """Another process that holds the lock until a line comes."""
    script = HOLD.replace("PLACE", repr(str(home.root)))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process


def test_who_waits_is_told_who_holds_it_and_in_the_end_gives_up(home, other):
    told = []
    with pytest.raises(OdinError) as failed, hold_lock(home, 0.2, told.append):
        pass
    assert told == [f"waiting for `odin local up` (pid {other.pid}) to finish"]
    assert failed.value.exit_code is ExitCode.TIMEOUT
    assert str(other.pid) in failed.value.message


def test_it_is_free_after_its_holder_was_killed(home, other):
    other.kill()
    other.wait()
    with hold_lock_if_free(home) as held:
        assert held


def test_a_held_lock_is_not_free(home, other):
    with hold_lock_if_free(home) as held:
        assert not held


def test_it_can_be_taken_again(home):
    for _ in range(2):
        with hold_lock(home, 1, print):
            pass


def test_a_lock_on_a_file_that_was_just_removed_is_taken_again(home, monkeypatch):
    lock, removed = fcntl.flock, []

    def remove_first(handle, operation):
        if not removed:
            removed.append(os.fstat(handle).st_ino)
            (home.run / "lock").rename(home.run / "gone")
        lock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with hold_lock(home, 1, print):
        assert "pid" in (home.run / "lock").read_text()
    assert removed


def test_a_holder_may_remove_the_home(home):
    with hold_lock(home, 1, print):
        (home.run / "lock").unlink()
        with hold_lock_if_free(home) as held:
            assert held
