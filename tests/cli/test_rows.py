"""Health rows as people and programs get them."""

import json

import pytest

from odin_ws.cli import rows
from odin_ws.home import Home
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.health import examine
from odin_ws.stack.states import State
from stack_doubles import ILL, fake_service, fake_stack

UP = Observed(State.RUNNING, None, 1.0)


@pytest.fixture
def examined(tmp_path):
    good, bad, down = fake_service("good"), fake_service("bad", outcomes=[ILL]), fake_service("down")
    stack = fake_stack(Home(tmp_path), good, bad, down, good=UP, bad=UP)
    return examine(stack, stack.services)


def test_one_table_with_all_columns(examined, capsys):
    rows.print_rows(examined, "table")
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0].split() == list(rows.HEAD)
    assert len(captured.out.splitlines()) == 4


def test_under_it_why_and_what_next_for_bad_rows_only(examined, capsys):
    rows.print_rows(examined, "table")
    said = capsys.readouterr().err
    assert "bad: feed: 12000 records behind\n  try: ./task local:logs:bad" in said
    assert "down: is not started\n  try: ./task local:start:down" in said
    assert "good" not in said


def test_a_narrow_terminal_has_details_under_the_table(examined, capsys, monkeypatch):
    monkeypatch.setattr(rows, "terminal_width", lambda: 80)
    rows.print_rows(examined, "table")
    out = capsys.readouterr().out
    assert "detail" not in out.splitlines()[0]
    assert "  good: all is well" in out


def test_when_nothing_is_started_one_line_says_so(examined, capsys):
    rows.print_rows([examined[2]], "table")
    assert capsys.readouterr().err == "down is not started; start it with: ./task local:start:down\n"
    rows.print_rows([examined[2], examined[2]], "table")
    assert capsys.readouterr().err == "nothing is started; start it with: ./task up\n"


def test_the_document_has_the_worst_code_and_every_figure(examined, capsys):
    rows.print_rows(examined, "json")
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert captured.err == ""
    assert (document["status"], document["exit_code"]) == ("not running", 7)
    good = document["services"][0]
    assert (good["state"], good["health"], good["exit_code"]) == ("running", "healthy", 0)
    assert "details" not in good


def test_detailed_has_what_the_probes_said(examined):
    assert rows.document(examined, detailed=True)["services"][0]["details"] == {"figure": 1}
