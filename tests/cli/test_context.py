"""What a command starts from: loaded once, flags win, and services started from here know of them."""

import os

import pytest

from odin_ws.cli import context
from odin_ws.config import ConfigInvalid
from odin_ws.errors import OdinError


@pytest.fixture(autouse=True)
def a_place_of_its_own(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("ODIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(context, "_overrides", {})
    monkeypatch.chdir(tmp_path)
    context.current.cache_clear()
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    context.current.cache_clear()


def test_configuration_and_home_are_those_of_the_nearest_file(tmp_path):
    (tmp_path / "odin.toml").write_text("[gateway]\nport = 4005\n")
    here = context.current()
    assert here.settings.gateway.port == 4005
    assert here.home.root == tmp_path / ".odin"


def test_it_is_loaded_once(tmp_path):
    first = context.current()
    (tmp_path / "odin.toml").write_text("[gateway]\nport = 4005\n")
    assert context.current() is first


def test_a_wrong_file_is_told(tmp_path):
    (tmp_path / "odin.toml").write_text("[gateway]\nport = 0\n")
    with pytest.raises(ConfigInvalid, match=r"odin\.toml:2: gateway\.port"):
        context.current()


def test_flags_win_and_services_started_from_here_get_them_too(tmp_path, monkeypatch):
    monkeypatch.setenv("ODIN_GATEWAY_PORT", "4001")
    (tmp_path / "odin.toml").write_text("[gateway]\nport = 4002\n")
    assert context.current().settings.gateway.port == 4001
    context.override(["gateway.port=4003"])
    assert context.current().settings.gateway.port == 4003
    assert context.current().config.source("gateway.port") == "flag"
    assert os.environ["ODIN_GATEWAY_PORT"] == "4003"


def test_a_flag_for_an_unknown_key_is_told_with_the_nearest(monkeypatch):
    context.override(["gateway.prot=1"])
    with pytest.raises(
        ConfigInvalid, match=r"flag: gateway\.prot is no setting \(did you mean gateway\.port\?"
    ):
        context.current()


@pytest.mark.parametrize("assignment", ["gateway.port", "=4", ""])
def test_a_flag_that_is_no_assignment_is_refused(assignment):
    with pytest.raises(OdinError, match="KEY=VALUE") as caught:
        context.override([assignment])
    assert caught.value.exit_code == 2
