"""Addresses with their reachability."""

import json

from odin_ws.cli.addresses import print_addresses
from odin_ws.stack.deploy import Reach
from odin_ws.stack.services import Url

FOUND = [
    Reach(Url("WebSocket", "ws://h:1/ws", "http://h:1/ws"), True, "HTTP 426", 1.0),
    Reach(Url("API", "http://h:2/docs", "http://h:2/docs"), False, "nobody listens on h:2", 0.0),
]


def test_a_table_says_what_answers(capsys):
    print_addresses(FOUND, "table")
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["WebSocket", "ws://h:1/ws", "yes", "HTTP", "426"]
    assert "no         nobody listens on h:2" in second


def test_json_says_it_too(capsys):
    print_addresses(FOUND, "json")
    urls = json.loads(capsys.readouterr().out)["urls"]
    assert [url["reachable"] for url in urls] == [True, False]
    assert urls[0]["url"] == "ws://h:1/ws"
