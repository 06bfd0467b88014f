"""Putting a stack together, and the settings of what runs."""

from odin_ws.config import Config
from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.services import SERVICES
from odin_ws.stack.stack import open_stack


def open_in(tmp_path):
    return open_stack(Config(Settings(), {}, None), Home(tmp_path / "home"))


def test_a_stack_has_the_whole_table_and_touches_nothing(tmp_path):
    stack = open_in(tmp_path)
    assert stack.services == SERVICES
    assert set(stack.driver.observe()) == {service.name for service in SERVICES}
    assert list(tmp_path.iterdir()) == []


def test_a_running_service_is_judged_by_its_own_settings(tmp_path):
    stack = open_in(tmp_path)
    then = Settings().model_dump(mode="json")
    then["gateway"]["port"] = 4005
    assert stack.settings_of(Observed(settings=then)).gateway.port == 4005


def test_settings_that_are_not_known_or_broken_are_those_in_force(tmp_path):
    stack = open_in(tmp_path)
    assert stack.settings_of(Observed()) is stack.settings
    assert stack.settings_of(Observed(settings={"gateway": {"port": -1}})) is stack.settings
