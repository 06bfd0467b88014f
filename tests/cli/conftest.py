"""Runs the command line inside the test process, on a stack of doubles or on a home of its own."""

import os
import sys
from dataclasses import dataclass

import pytest

from odin_ws.cli import app, context, options, session
from odin_ws.home import Home
from started_platform import TASK_VARIABLES


@dataclass(frozen=True)
class Ran:
    """What a command ended with."""

    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """`run("local", "status")` gives exit code, stdout and stderr; the home is empty, nothing inherited."""
    for name in [name for name in os.environ if name.startswith("ODIN_")] + list(TASK_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ODIN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        context.current.cache_clear()
        monkeypatch.setattr(options, "_json", False)
        monkeypatch.setattr(sys, "argv", ["odin", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return Ran(ended.value.code, captured.out, captured.err)

    yield run
    context.current.cache_clear()


@pytest.fixture
def use_stack(monkeypatch):
    """`use_stack(stack)` makes every command work on this stack."""

    def use(stack):
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("odin_ws.cli.local"):
                monkeypatch.setattr(module, "open_current", lambda: stack, raising=False)
        monkeypatch.setattr(session, "open_current", lambda: stack)
        return stack

    return use
