"""Cleaning removes what can be made again, and nothing else."""

import pytest

from odin_ws.home import Home
from odin_ws.stack.cleaning import clean_up
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.states import State
from stack_doubles import fake_service, fake_stack


@pytest.fixture
def home(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    for name in ("src/a/__pycache__", ".ruff_cache", ".venv/lib/__pycache__"):
        (tmp_path / name).mkdir(parents=True)
    return Home(tmp_path / ".odin").create()


def test_caches_go_and_the_environment_stays(home, tmp_path):
    done = clean_up(fake_stack(home, fake_service("ws")))
    assert {".ruff_cache", "src/a/__pycache__"} <= set(done.removed)
    assert (tmp_path / ".venv/lib/__pycache__").is_dir()


def test_logs_go_and_data_stays(home):
    home.log_file.write_text("records")
    done = clean_up(fake_stack(home, fake_service("ws")))
    assert not home.logs.exists()
    assert home.log_file.exists()
    assert any("data" in words for words in done.kept)


def test_a_running_stack_is_left_alone(home):
    stack = fake_stack(home, fake_service("ws"), ws=Observed(State.RUNNING, 1, 1.0))
    done = clean_up(stack)
    assert home.logs.is_dir()
    assert done.kept == [f"{home.base}: ws is running"]


def test_a_home_elsewhere_has_no_checkout_to_clean(tmp_path):
    (tmp_path / "dist").mkdir()
    assert clean_up(fake_stack(Home(tmp_path / "home"), fake_service("ws"))).removed == []
    assert (tmp_path / "dist").is_dir()
