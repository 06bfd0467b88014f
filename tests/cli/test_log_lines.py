"""Log lines for people and programs."""

import json
import os
import sys
from datetime import datetime

import pytest

from odin_ws.cli.log_lines import print_lines, print_stream, reader_is_gone, rendered
from odin_ws.stack.logs import Line
from stack_doubles import fake_service

NOON = datetime(2026, 11, 24, 12, 0, 5).timestamp()
SERVICES = (fake_service("ws", colour="cyan"), fake_service("publisher", colour="yellow"))
LINE = Line("ws", NOON, "warning", "WARNING slow client", {"event": "slow client"})


def test_a_line_has_the_time_and_the_service_in_one_column():
    assert list(rendered([LINE], SERVICES)) == ["12:00:05 ws        | WARNING slow client"]


def test_on_a_terminal_a_service_has_its_colour(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[36mws" in next(rendered([LINE], SERVICES))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in next(rendered([LINE], SERVICES))


def test_json_is_one_array(capsys):
    print_lines([LINE, LINE], SERVICES, "json")
    lines = json.loads(capsys.readouterr().out)
    assert [line["service"] for line in lines] == ["ws", "ws"]
    assert lines[0]["fields"] == {"event": "slow client"}


@pytest.mark.parametrize("output", ["json", "table"])
def test_a_stream_is_a_line_each(capsys, output):
    print_stream([LINE], iter([LINE]), SERVICES, output)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    if output == "json":
        assert json.loads(lines[1])["message"] == "WARNING slow client"


def test_it_is_seen_when_the_reader_of_a_pipe_is_gone(monkeypatch):
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert not reader_is_gone()
        os.close(reader)
        assert reader_is_gone()
