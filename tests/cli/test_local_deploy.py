"""setup, reset, rebuild-code and topics, on doubles and the embedded log."""

import json

import pytest

from odin_ws.cli import local_deploy
from odin_ws.errors import ExitCode
from stack_doubles import fake_service, fake_stack


@pytest.fixture
def stack(home, use_stack, monkeypatch):
    stack = use_stack(fake_stack(home, fake_service("redpanda", buildable=True)))
    monkeypatch.setattr(local_deploy, "open_despite_problems", lambda: (stack, []))
    return stack


@pytest.mark.parametrize("words", [["deploy", "setup"], ["up"]])
def test_setup_ends_with_addresses_and_three_next_commands(run, stack, words):
    ran = run("local", *words)
    assert ran.code == 0
    out = ran.out.split("next:\n")
    assert "reachable" in out[0]
    assert len(out[1].splitlines()) == 3


def test_setup_as_one_document(run, stack):
    document = json.loads(run("local", "up", "-o", "json").out)
    assert document["status"] == "healthy"
    assert "odin.trades" in document["topics_created"]
    assert len(document["next"]) == 3
    assert document["urls"] == []


def test_a_wrong_configuration_is_exit_3_with_everything_else(run, monkeypatch):
    monkeypatch.setenv("ODIN_GATEWAY_PROT", "1")
    ran = run("local", "up")
    assert ran.code == ExitCode.PREFLIGHT
    assert "ODIN_GATEWAY_PROT" in ran.err


def test_reset_asks_removes_and_sets_up(run, stack, home):
    assert run("local", "deploy", "reset").code == ExitCode.USAGE
    home.log_file.write_text("no log at all")
    ran = run("local", "deploy", "reset", "--yes")
    assert ran.code == 0
    assert stack.driver.calls == ["shut down", "start redpanda"]


def test_rebuild_code_restarts(run, stack):
    assert run("local", "deploy", "rebuild-code").code == 0
    assert stack.driver.calls == ["stop ", "start redpanda"]


def test_topics_are_created_once(run, stack):
    first = json.loads(run("local", "topics", "create", "-o", "json").out)
    assert set(first["created"]) == set(first["topics"])
    assert run("local", "topics", "create").out.count("was there") == 8
