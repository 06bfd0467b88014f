"""A channel's memory and frames; what becomes of values that are not JSON."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.gateway.channel import Channel, Event, payload_of


def frame_json(channel: Channel, event: Event) -> dict:
    raw = channel.frame(event)
    return json.loads(raw[raw.index(b"{") :])


@given(st.binary(max_size=300))
def test_whatever_the_value_the_event_is_json_and_the_value_can_be_had_back(value):
    channel = Channel("BTC.trade", "odin.trades", 0)
    payload, was_json = payload_of(value)
    event = frame_json(channel, channel.advance(b"e.0.1", 5, payload))
    if was_json:
        assert event["data"] == json.loads(value)
    elif "encoding" in event:
        assert base64.b64decode(event["data"]) == value
    else:
        assert event["data"].encode() == value


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (b"plain text", "plain text"),
        (b"", ""),
        (b'{"cut":', '{"cut":'),
        (b"NaN", "NaN"),
        (b'{"a":1}{"b":2}', '{"a":1}{"b":2}'),
        (b'"a\nb"', '"a\nb"'),
    ],
)
def test_a_value_that_is_not_json_goes_out_as_a_string(value, data):
    payload, was_json = payload_of(value)
    assert not was_json
    assert json.loads(payload) == data


def test_json_with_broken_utf8_inside_a_string_is_not_sent_as_text():
    payload, was_json = payload_of(b'{"a":"\xff\xfe"}')
    assert not was_json
    assert payload.endswith(b'"encoding":"base64"')


def test_deeply_nested_json_does_not_break_the_gateway():
    payload, _ = payload_of(b"[" * 100_000 + b"]" * 100_000)
    assert payload


def test_memory_keeps_the_newest_within_both_bounds():
    channel = Channel("BTC.trade", "odin.trades", 0)
    for n in range(10):
        channel.remember(channel.advance(b"e.0.%d" % n, n, b'"' + b"x" * 98 + b'"'), 5, 350)
    assert [event.position for event in channel.ring] == [b"e.0.7", b"e.0.8", b"e.0.9"]
    assert channel.ring_bytes == 300
    assert channel.remembered_bytes(2) == 200
    assert channel.remembered_bytes(99) == 300
    channel.forget()
    assert channel.last_frames(5) == []
    assert channel.remembered_bytes(5) == 0
