"""Tables and talk."""

import json

import pytest

from odin_ws.cli.printing import Styled, duration, print_json, print_plain, print_table, say, terminal_width


def test_a_table_without_a_terminal_is_plain_and_never_cut(capsys):
    print_table(["name", "detail"], [["ws", "x" * 500], [Styled("publisher", "red"), "two\nlines"]])
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "name       detail"
    assert rows == ["ws         " + "x" * 500, "publisher  two lines"]


def test_a_table_on_a_terminal_obeys_no_color(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_table(["name"], [[Styled("ws", "red")]])
    assert "\x1b[31m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(["name"], [[Styled("ws", "red")]])
    assert "\x1b[31m" not in capsys.readouterr().out


def test_an_empty_table_is_its_head(capsys):
    print_plain(["a", "b"], [])
    assert capsys.readouterr().out == "a  b\n"


def test_json_is_one_document_and_talk_goes_elsewhere(capsys):
    say("working")
    print_json({"ü": 1})
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"ü": 1}
    assert captured.err == "working\n"


def test_without_a_terminal_there_is_room(capsys):
    assert terminal_width(77) == 77


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.9, "0s"), (59, "59s"), (185, "3m05s"), (7800, "2h10m"), (357_000, "4d3h")],
)
def test_a_time_span_is_short(seconds, text):
    assert duration(seconds) == text
