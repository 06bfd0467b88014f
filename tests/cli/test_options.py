"""Shared options: times, and asking before what cannot be undone."""

import pytest
import typer

from odin_ws.cli.options import confirm, json_wanted, parse_seconds
from odin_ws.errors import ExitCode, OdinError


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("0.5s", 0.5), ("2m", 120), ("1 h", 3600)])
def test_times(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "soon", "5 days", "", "nan"])
def test_what_is_no_time(text):
    with pytest.raises(typer.BadParameter):
        parse_seconds(text)


def test_nobody_is_asked_who_has_answered():
    confirm("Sure?", True)


def test_without_a_terminal_asking_is_a_usage_error():
    with pytest.raises(OdinError) as told:
        confirm("Sure?", False)
    assert told.value.exit_code is ExitCode.USAGE
    assert "YES=1" in told.value.remedy


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_the_answer_counts(monkeypatch, answer):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)
    if answer:
        confirm("Sure?", False)
        return
    with pytest.raises(OdinError, match="nothing was changed"):
        confirm("Sure?", False)


def test_the_format_is_remembered_for_failures(run):
    run("local", "status", "-o", "json")
    assert json_wanted()
    run("local", "status")
    assert not json_wanted()
