"""What runs inside supervisord, with processes that are only objects."""

from types import SimpleNamespace

import pytest
from supervisor import events
from supervisor.states import ProcessStates

from odin_ws.stack.drivers.crashes import (
    CRASH_LIMIT,
    PAUSE_SECONDS,
    WINDOW_SECONDS,
    CrashCount,
    make_interface,
)


class Process:
    """As much of supervisord's process as the module touches."""

    def __init__(self):
        self.config = SimpleNamespace(name="ws", startretries=4)
        self.group = None
        self.state = ProcessStates.STARTING
        self.backoff = 0
        self.delay = 0.0
        self.pid = 7
        self.given_up = False

    def give_up(self):
        self.given_up = True

    def starts(self):
        self.state = ProcessStates.STARTING
        events.notify(events.ProcessStateStartingEvent(self, ProcessStates.BACKOFF))

    def crashes_early(self):
        self.backoff += 1
        self.state = ProcessStates.BACKOFF
        events.notify(events.ProcessStateBackoffEvent(self, ProcessStates.STARTING))

    def crashes_late(self):
        self.backoff = 0
        self.state = ProcessStates.EXITED
        events.notify(events.ProcessStateExitedEvent(self, ProcessStates.RUNNING, False))

    @property
    def gives_up_next(self):
        return self.state == ProcessStates.BACKOFF and self.backoff > self.config.startretries


@pytest.fixture
def process():
    yield Process()
    events.clear()


@pytest.fixture
def interface(process):
    groups = {"ws": SimpleNamespace(processes={"ws": process})}
    return make_interface(SimpleNamespace(process_groups=groups))


def test_restarts_are_starts_after_the_explicit_one(interface, process):
    interface.begin("ws")
    process.starts()
    assert interface.counts() == {"ws": 0}
    process.starts()
    assert interface.counts() == {"ws": 1}
    interface.begin("ws")
    process.starts()
    assert interface.counts() == {"ws": 0}


def test_the_fifth_crash_in_a_minute_is_the_last(interface, process):
    process.crashes_late()
    for _ in range(CRASH_LIMIT - 2):
        process.crashes_early()
        assert not process.gives_up_next
    process.crashes_early()
    assert process.gives_up_next


def test_it_is_the_last_also_when_the_service_had_run_for_a_while(interface, process):
    for _ in range(CRASH_LIMIT - 1):
        process.crashes_late()
        assert process.state == ProcessStates.EXITED
    process.crashes_late()
    assert process.gives_up_next


def test_old_crashes_do_not_count():
    count = CrashCount()
    for n in range(20):
        assert not count.crashed(n * WINDOW_SECONDS / (CRASH_LIMIT - 1))


def test_pauses_grow(interface, process, monkeypatch):
    monkeypatch.setattr("odin_ws.stack.drivers.crashes.time.time", lambda: 1000.0)
    pauses = []
    for _ in range(3):
        process.crashes_early()
        pauses.append(round(process.delay - 1000.0, 3))
    assert pauses == list(PAUSE_SECONDS[:3])


def test_giving_up_only_ends_what_waits_for_its_next_start(interface, process):
    assert not interface.give_up("ws")
    process.crashes_early()
    assert interface.give_up("ws")
    assert process.given_up


@pytest.mark.parametrize("state", [ProcessStates.FATAL, ProcessStates.EXITED])
def test_a_stopped_service_that_had_failed_is_forgotten(interface, process, state):
    process.starts()
    process.state = state
    interface.forget("ws")
    assert process.state == ProcessStates.STOPPED
    assert interface.counts() == {}


def test_a_running_service_is_not_made_stopped(interface, process):
    process.state = ProcessStates.RUNNING
    interface.forget("ws")
    assert process.state == ProcessStates.RUNNING
