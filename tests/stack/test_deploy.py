"""Workflows: setup and reachability, on doubles and the embedded log."""

import socket

import pytest

from odin_ws.home import Home
from odin_ws.stack.deploy import create_topics, reach, reach_all, set_up
from odin_ws.stack.services import Url
from stack_doubles import fake_service, fake_stack


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path).create()


def ignore(*_):
    pass


def test_setup_starts_creates_topics_and_examines(home):
    stack = fake_stack(home, fake_service("log"))
    done = set_up(stack, 5, ignore, ignore)
    assert stack.driver.calls == ["start log"]
    assert "odin.trades" in done.topics_created
    assert [row.service for row in done.rows] == ["log"]
    assert set_up(stack, 5, ignore, ignore).topics_created == []


def test_topics_are_created_once(home):
    stack = fake_stack(home)
    assert len(create_topics(stack)) == 8
    assert create_topics(stack) == []


def test_an_address_nobody_serves_is_not_reachable(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        found = reach(Url("x", address, address), 1)
        service = fake_service("ws", urls=lambda settings: (Url("x", address, address),))
        assert [r.reachable for r in reach_all(fake_stack(home, service), [service])] == [False]
    assert not found.reachable
    assert "nobody listens" in found.answer
