"""Figures: records and topics of an embedded log, addresses, metrics."""

import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.eventlog.base import Draft, UnknownTopic
from odin_ws.home import Home
from odin_ws.stack import stats
from odin_ws.stack.deploy import create_topics
from odin_ws.stack.services import Endpoint
from stack_doubles import fake_service, fake_stack

TOPIC = "odin.metadata"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path).create()


@pytest.fixture
def log(home):
    stack = fake_stack(home)
    create_topics(stack)
    log = stats.open_existing_log(stack)
    yield log
    log.close()


def append(log, *pairs):
    """Records (key, value), a millisecond apart, ending now."""
    import time

    now = int(time.time() * 1000) - len(pairs)
    log.append([Draft(TOPIC, key, value, now + n) for n, (key, value) in enumerate(pairs)])


def values(records):
    return [record.value for record in records]


def test_the_newest_records_in_order_of_time(log):
    append(log, *((b"k%d" % (n % 7), b"%d" % n) for n in range(30)))
    assert values(stats.last_records(log, TOPIC, 3, None)) == [b"27", b"28", b"29"]


def test_the_oldest_records_in_order_of_time(log):
    append(log, *((b"k%d" % (n % 7), b"%d" % n) for n in range(30)))
    assert values(stats.first_records(log, TOPIC, 3, None)) == [b"0", b"1", b"2"]


@pytest.mark.parametrize("read", [stats.first_records, stats.last_records])
def test_only_one_key(log, read):
    append(log, (b"BTC", b"1"), (b"ETH", b"2"), (b"BTC", b"3"))
    assert values(read(log, TOPIC, 10, b"BTC")) == [b"1", b"3"]


def test_more_records_than_a_page(log, monkeypatch):
    monkeypatch.setattr(stats, "PAGE_RECORDS", 4)
    append(log, *((b"BTC", b"%d" % n) for n in range(20)), *((b"ETH", b"x") for _ in range(20)))
    assert len(stats.last_records(log, TOPIC, 15, b"BTC")) == 15
    assert len(stats.first_records(log, TOPIC, 100, b"BTC")) == 20


def test_records_that_come_later_are_waited_for(log):
    append(log, (b"BTC", b"1"))
    ends = stats.end_offsets(log, TOPIC)
    seen = stats.last_records(log, TOPIC, 5, None)
    append(log, (b"BTC", b"2"), (b"ETH", b"3"), (b"BTC", b"4"))
    assert values(stats.next_records(log, ends, 1, b"ETH", seen, 5)) == [b"3"]
    ends = stats.end_offsets(log, TOPIC)
    assert list(stats.next_records(log, ends, 1, None, [], 0.05)) == []


def test_an_unknown_topic_is_told(log):
    with pytest.raises(UnknownTopic):
        stats.last_records(log, "odin.traids", 1, None)


def test_topics_with_their_offsets(log):
    append(log, (b"BTC", b"1"), (b"ETH", b"2"))
    figures = {topic.name: topic for topic in stats.topic_figures(log, 0.01)}
    assert len(figures) == 8
    assert (figures[TOPIC].end, figures[TOPIC].earliest, figures[TOPIC].partitions) == (2, 0, 12)
    assert figures[TOPIC].records_per_second == 0


def test_there_is_no_log_before_the_first_start(tmp_path):
    with pytest.raises(OdinError) as told:
        stats.open_existing_log(fake_stack(Home(tmp_path / "none")))
    assert told.value.exit_code is ExitCode.NOT_RUNNING
    assert not (tmp_path / "none").exists()


def test_every_service_has_an_address(home):
    listening = fake_service("ws", endpoints=lambda settings: (Endpoint("all", "127.0.0.1", 4005),))
    found = stats.addresses(fake_stack(home, fake_service("log"), listening))
    assert [(a.service, a.role, a.port, a.container_ip) for a in found] == [
        ("log", "file", None, "-"),
        ("ws", "all", 4005, "-"),
    ]


def test_asking_a_service_that_does_not_run(home):
    service = fake_service("ws", endpoints=lambda settings: (Endpoint("all", "127.0.0.1", 4005),))
    with pytest.raises(OdinError) as told:
        stats.ask(fake_stack(home, service), service, "/health")
    assert told.value.exit_code is ExitCode.NOT_RUNNING


def test_metrics_without_buckets():
    text = '# HELP a b\na_total 3.0\na_bucket{le="1"} 2\nb{reason="x"} 1e3\na_created 17\n'
    assert stats.metrics(text) == {"a_total": 3.0, 'b{reason="x"}': 1000.0}


def test_a_document_as_dotted_names():
    assert stats.flatten({"a": {"b": 1, "c": {}}, "d": [2]}) == {"a.b": 1, "a.c": {}, "d": [2]}
