"""What a worker knows of itself and of its connections."""

import json

import pytest

from gateway.fake_socket import connect
from odin_ws import catalogue
from odin_ws.gateway.closing import Closing
from odin_ws.gateway.feed import FeedState
from odin_ws.gateway.worker import Worker


@pytest.fixture
def worker(settings):
    return Worker(settings, catalogue.TOPICS, lambda: None)


def test_a_connection_is_greeted_counted_and_given_back(worker):
    connection, socket = connect(worker)
    assert [m["type"] for m in socket.messages()] == ["welcome"]
    assert worker.figures().connections == 1
    worker.slow.add(connection)
    socket.kept = 77
    assert worker.queued_bytes() == 77
    connection.closing = Closing.SLOW_CONSUMER
    connection.on_ws_disconnected(socket)
    assert worker.figures().connections == 0
    assert worker.queued_bytes() == 0
    assert worker.counts.closes == {"slow_consumer": 1}


def test_one_that_vanishes_is_counted_as_lost(worker):
    connection, socket = connect(worker)
    connection.on_ws_disconnected(socket)
    assert worker.counts.closes == {"lost": 1}


def test_lag_has_an_age_only_while_there_are_unread_records(worker):
    worker.feed.state = FeedState(connected=True, lag_records=0, last_timestamp_ms=1000)
    assert worker.figures().lag_seconds == 0
    worker.feed.state = FeedState(connected=True, lag_records=5, last_timestamp_ms=1000)
    assert worker.figures().lag_seconds > 1_000_000


def test_the_status_frame_has_no_age_before_the_first_record(worker):
    raw = worker.status_frame()
    assert json.loads(raw[raw.index(b"{") :]) == {"type": "status", "status": "ok", "age_ms": None}
