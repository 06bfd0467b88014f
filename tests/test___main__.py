"""The way in, before anything else is loaded."""

import sys

import pytest

from odin_ws import __main__ as way_in
from odin_ws.cli import app
from odin_ws.errors import ExitCode


def test_an_interruption_while_modules_load_is_told_without_a_traceback(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        way_in.main()
    assert ended.value.code == ExitCode.INTERRUPTED == way_in.INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


def test_it_runs_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["odin", "--version"])
    with pytest.raises(SystemExit) as ended:
        way_in.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("odin-ws ")
