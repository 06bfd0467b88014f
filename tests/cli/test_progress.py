"""Progress without a terminal: a line a change, on stderr."""

import pytest

from odin_ws.cli.progress import Progress
from stack_doubles import fake_service


def test_changes_are_lines(capsys):
    with Progress() as progress:
        progress.tell("stopping ws")
        progress.change(fake_service("ws"), "starting")
        progress.change(fake_service("ws"), "healthy")
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second, third = captured.err.splitlines()
    assert (first, second) == ("stopping ws", "ws: starting")
    assert third.startswith("ws: healthy after ")


def test_an_interruption_says_what_goes_on(capsys):
    with pytest.raises(KeyboardInterrupt), Progress():
        raise KeyboardInterrupt
    assert "./task down stops it" in capsys.readouterr().err


def test_on_a_terminal_the_last_state_stays_on_the_screen(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with Progress() as progress:
        progress.tell("stopping [ws]")
        progress.change(fake_service("ws"), "healthy")
    said = capsys.readouterr().err
    assert "stopping [ws]" in said
    assert "healthy" in said
