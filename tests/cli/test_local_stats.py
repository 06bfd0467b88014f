"""stats on the embedded log and on doubles."""

import json
import time

import pytest

from odin_ws.errors import ExitCode
from odin_ws.eventlog.base import Draft
from odin_ws.stack.deploy import create_topics
from odin_ws.stack.stats import open_existing_log
from stack_doubles import fake_service, fake_stack


@pytest.fixture
def stack(home, use_stack):
    return use_stack(fake_stack(home, fake_service("publisher"), fake_service("ws")))


@pytest.fixture
def records(stack):
    create_topics(stack)
    log = open_existing_log(stack)
    now_ms = int(time.time() * 1000)
    log.append([Draft("odin.metadata", b"BTC", b'{"n":%d}' % n, now_ms - 9 + n) for n in range(5)])
    log.append([Draft("odin.metadata", None, b"not json", now_ms)])
    log.close()


def consume(run, *options):
    return json.loads(
        run("local", "stats", "consume", "--topic", "odin.metadata", "-o", "json", *options).out
    )["records"]


def test_consume_gives_records_with_their_values(run, records):
    found = consume(run, "--num", "2", "--key", "BTC")
    assert [record["value"] for record in found] == [{"n": 3}, {"n": 4}]
    assert found[0]["key"] == "BTC"


def test_consume_from_the_earliest(run, records):
    assert consume(run, "--num", "1", "--from", "earliest", "--key", "BTC")[0]["value"] == {"n": 0}


def test_consume_for_people(run, records, monkeypatch):
    monkeypatch.setenv("TOPIC", "odin.metadata")
    monkeypatch.setenv("NUM", "6")
    lines = run("local", "stats", "consume").out.splitlines()
    assert len(lines) == 6
    assert lines[-1].endswith("  -  not json")


def test_consume_waits_for_what_is_not_there_and_says_so(run, records):
    ran = run("local", "stats", "consume", "--topic", "odin.metadata", "--num", "9", "--timeout", "0.1")
    assert ran.code == 0
    assert "6 of 9 records are there" in ran.err
    assert len(ran.out.splitlines()) == 6


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--topic", "odin.social", "--timeout", "0.1"], ExitCode.TIMEOUT, "no record of odin.social"),
        (["--topic", "odin.sozial"], ExitCode.USAGE, "does not exist"),
        (["--from", "yesterday"], ExitCode.USAGE, "neither latest nor earliest"),
        (["--num", "0"], ExitCode.USAGE, "--num"),
    ],
)
def test_consume_fails_in_words(run, records, options, code, said):
    ran = run("local", "stats", "consume", *options)
    assert ran.code == code
    assert said in ran.err


def test_topics_and_addresses(run, records):
    document = json.loads(run("local", "stats", "topics", "-o", "json").out)
    topics = {topic["name"]: topic for topic in document["topics"]}
    assert topics["odin.metadata"]["end"] == 6
    assert [
        a["service"] for a in json.loads(run("local", "stats", "ips", "-o", "json").out)["addresses"]
    ] == [
        "publisher",
        "ws",
    ]
    assert "container IP" in run("local", "stats", "ips").out


@pytest.mark.parametrize("words", [["topics"], ["consume"], ["publisher"], ["ws"]])
def test_what_does_not_run_is_exit_7(run, stack, words):
    ran = run("local", "stats", *words)
    assert ran.code == ExitCode.NOT_RUNNING
    assert "try: ./task" in ran.err
