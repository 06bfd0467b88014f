"""Both drivers of this code base fit the port: the real one and the tests' double."""

from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack.drivers.base import Driver, Observed
from odin_ws.stack.drivers.process import ProcessDriver
from odin_ws.stack.states import State
from stack_doubles import FakeDriver


def verbs(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def test_drivers_offer_every_verb_of_the_port(tmp_path):
    wanted = verbs(Driver)
    assert wanted <= set(dir(ProcessDriver(Home(tmp_path), Settings(), (), tmp_path)))
    assert wanted <= set(dir(FakeDriver({})))


def test_what_was_never_seen_is_not_started():
    assert Observed().state is State.NOT_STARTED
