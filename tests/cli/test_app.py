"""The root: failures become a message, a remedy and an exit code."""

import json

import pytest

from odin_ws import __version__
from odin_ws.cli import app, machine
from odin_ws.errors import ExitCode, OdinError


def test_the_version(run):
    ran = run("--version")
    assert (ran.code, ran.out) == (0, f"odin-ws {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "said", "remedy"),
    [
        (["local", "strat", "ws"], "did you mean", "odin local --help"),
        (["local", "start"], "missing argument", "odin local start --help"),
        (["local", "status", "--nope"], "no such option: --nope", "odin local status --help"),
        (["local", "start", "publsher"], "did you mean 'publisher'", "one of: redpanda"),
        (["local", "status", "-o", "xml"], "neither table nor json", "odin local status --help"),
        (["local", "start", "ws", "--timeout", "soon"], "is no time", "odin local start --help"),
    ],
)
def test_a_wrong_call_says_what_was_wrong_and_what_is_right(run, arguments, said, remedy):
    ran = run(*arguments)
    assert ran.code == ExitCode.USAGE
    assert said in ran.err.lower()
    assert remedy in ran.err
    assert ran.out == ""


def test_a_bare_noun_shows_its_help(run):
    ran = run("local")
    assert ran.code == ExitCode.USAGE
    assert "Usage: odin local" in ran.out + ran.err


def test_a_failure_is_json_too_where_json_was_asked_for(run):
    ran = run("local", "start", "nope", "-o", "json")
    assert json.loads(ran.out)["error"]["exit_code"] == ExitCode.USAGE
    assert "error: there is no service 'nope'" in ran.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "error: interrupted\n"),
        (OdinError("a", remedy="b", exit_code=ExitCode.TIMEOUT), ExitCode.TIMEOUT, "error: a\n  try: b\n"),
    ],
)
def test_what_a_command_raises_decides_the_exit_code(run, monkeypatch, error, code, said):
    def fail(*_):
        raise error

    monkeypatch.setattr("odin_ws.stack.cleaning.clean_up", fail)
    ran = run("clean")
    assert (ran.code, ran.err) == (code, said)
    assert machine.clean.__doc__


def test_a_message_is_told_with_its_remedy(capsys):
    app.tell(OdinError("it broke", remedy="mend it"))
    assert capsys.readouterr().err == "error: it broke\n  try: mend it\n"
