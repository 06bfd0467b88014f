"""The state directory: where it is, and that only its owner gets in."""

import os
import stat

import pytest

from odin_ws.errors import OdinError
from odin_ws.home import Home, find_home


def test_state_lies_beside_the_nearest_odin_toml(tmp_path):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "odin.toml").touch()
    assert find_home(environ={}, start=below).root == tmp_path / ".odin"


def test_without_a_file_it_lies_where_we_are(tmp_path):
    assert find_home(environ={}, start=tmp_path).root == tmp_path / ".odin"


def test_odin_home_moves_it(tmp_path, monkeypatch):
    (tmp_path / "odin.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert find_home(environ={"ODIN_HOME": "state"}, start=tmp_path).root == tmp_path / "state"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_home(environ={"ODIN_HOME": "~/x"}).root == tmp_path / "x"
    assert find_home(environ={"ODIN_HOME": ""}, start=tmp_path).root == tmp_path / ".odin"


def test_environments_do_not_share_state(tmp_path):
    local, gcp = (find_home(env, environ={"ODIN_HOME": str(tmp_path)}) for env in ("local", "gcp"))
    assert local.base != gcp.base
    assert local.root == gcp.root


def test_what_lies_where(tmp_path):
    home = Home(tmp_path).create()
    assert (home.run, home.logs, home.data) == tuple(tmp_path / "local" / n for n in ("run", "logs", "data"))
    assert home.log_file.parent == home.data
    assert home.create() == home


def test_new_directories_are_for_their_owner_only(tmp_path):
    before = os.umask(0)
    try:
        home = Home(tmp_path / "deep" / "state").create()
    finally:
        os.umask(before)
    for directory in (home.root, home.base, home.run, home.logs, home.data):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700, directory


def test_a_place_that_cannot_be_made_is_told_with_a_remedy(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OdinError, match="cannot make the state directory") as caught:
        Home(tmp_path / "file" / "state").create()
    assert caught.value.exit_code == 3
    assert "ODIN_HOME" in caught.value.remedy
