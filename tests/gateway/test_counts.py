"""Histogram buckets and the counting of answers."""

from odin_ws.gateway.counts import GatewayCounts, Histogram
from odin_ws.gateway.protocol import Answer


def test_buckets_are_cumulative_and_the_bound_belongs_to_its_bucket():
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 9.0):
        histogram.add(value)
    assert list(histogram.cumulative()) == [("1.0", 2), ("2.0", 4), ("+Inf", 5)]
    assert histogram.total == 14.0


def test_an_error_answer_is_counted_as_one(new_client):
    client, counts = new_client(), GatewayCounts()
    for message in (b'{"type":"heartbeat"}', b"rubbish", b'{"type":"nope","id":"error"}'):
        counts.count_message(client.session.receive(message, 0.0, 0))
    counts.count_message(Answer([]))
    assert (counts.messages, counts.errors) == (4, 2)
