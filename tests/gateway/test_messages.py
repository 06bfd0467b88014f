"""Messages parsed one by one; the table of refusals is in test_protocol.py."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.gateway.messages import (
    Envelope,
    Refusal,
    parse_envelope,
    parse_heartbeat,
    parse_subscribe,
    parse_unsubscribe,
)

RAW = msgspec.Raw


def test_unknown_members_are_ignored_so_that_clients_may_be_newer():
    envelope = parse_envelope(b'{"type":"list","later":[1],"id":7}')
    assert (envelope.type, envelope.id) == ("list", 7)


def test_names_are_kept_once_and_in_order():
    subscribe = parse_subscribe(RAW(b'{"channels":["B.x","A.x","B.x"],"from":{"A.x":{"last":3}}}'))
    assert subscribe == (["B.x", "A.x"], {"A.x": 3})
    assert parse_unsubscribe(RAW(b'{"channels":["A.x","A.x"]}')) == ["A.x"]


def test_heartbeat_asks_for_channels_or_does_not():
    assert parse_heartbeat(RAW(b'{"channels":true}')) is True
    assert parse_heartbeat(RAW(b"{}")) is False
    assert parse_heartbeat(RAW(b"")) is False


def test_a_long_text_of_the_client_is_not_repeated_whole():
    with pytest.raises(Refusal) as refused:
        parse_unsubscribe(RAW(b'{"channels":["' + b"!" * 10_000 + b'"]}'))
    assert len(refused.value.message) < 300


@given(st.binary(max_size=200))
def test_any_bytes_are_an_envelope_or_a_refusal(message):
    try:
        outcome: object = parse_envelope(message)
    except Refusal as refusal:
        outcome = refusal.code
    assert isinstance(outcome, Envelope) or outcome in ("bad_json", "bad_message")
