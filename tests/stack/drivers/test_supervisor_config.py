"""The configuration as supervisord itself reads it."""

import os
import stat
from pathlib import Path

import pytest
from supervisor.options import UnhosedConfigParser

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import StackSettings
from odin_ws.stack.drivers import supervisor_config
from odin_ws.stack.drivers.supervisor_config import (
    MAX_SOCKET_BYTES,
    prepare_socket_directory,
    render,
    short_directory,
    socket_path,
)


def parsed(text):
    parser = UnhosedConfigParser()
    parser.expansions = {"ENV_SUPERVISED_PYTHON": "python"}
    parser.read_string(text)
    return parser


def test_each_service_is_a_program_that_is_only_started_on_demand():
    parser = parsed(render(Home(Path("/h")), ["log", "ws"], StackSettings(stop_timeout_seconds=7)))
    assert [s for s in parser.sections() if s.startswith("program:")] == ["program:log", "program:ws"]
    assert parser.saneget("program:ws", "autostart") == "false"
    assert parser.saneget("program:ws", "stopwaitsecs") == "7"
    assert parser.saneget("program:ws", "command").endswith("ws.start.json")


def test_a_percent_sign_in_the_path_is_escaped():
    text = render(Home(Path("/a%b")), ["ws"], StackSettings())
    assert "file=/a%%b/local/run/supervisor.sock" in text


@pytest.mark.parametrize("place", ["/" + "x" * 120, "/a;b", "/a #b", "/a\nb"])
def test_a_path_that_does_not_fit_gets_a_short_socket(place):
    path = socket_path(Home(Path(place)))
    assert len(os.fsencode(path)) <= MAX_SOCKET_BYTES
    assert path.parent == short_directory(Home(Path(place)))


def test_two_homes_have_two_sockets():
    one, two = (Home(Path("/" + letter * 120)) for letter in "xy")
    assert socket_path(one) != socket_path(two)


def test_the_short_directory_must_belong_to_us_alone(tmp_path, monkeypatch):
    home = Home(Path("/" + "x" * 120))
    monkeypatch.setattr(supervisor_config, "short_directory", lambda _: tmp_path / "short")
    prepare_socket_directory(home)
    assert stat.S_IMODE((tmp_path / "short").stat().st_mode) == 0o700
    (tmp_path / "short").chmod(0o777)
    with pytest.raises(OdinError) as told:
        prepare_socket_directory(home)
    assert told.value.exit_code is ExitCode.PREFLIGHT
