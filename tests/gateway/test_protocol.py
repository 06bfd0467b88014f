"""The session: each message its documented answer, bad ones an error that names what is right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws import catalogue
from odin_ws.gateway.closing import Closing
from odin_ws.gateway.hub import Hub
from odin_ws.gateway.outbox import Outbox
from odin_ws.gateway.protocol import Session, welcome_frame
from odin_ws.settings import GatewaySettings


def test_the_original_clients_messages_get_the_original_answers(new_client):
    client = new_client()
    client.send({"type": "subscribe", "data": {"channels": ["BTC.trade", "ETH.trade"]}})
    client.send({"type": "unsubscribe", "data": {"channels": ["ETH.trade"]}})
    client.send({"type": "heartbeat"})
    assert client.take() == [
        {"type": "subscription_ack", "subscribed": ["BTC.trade", "ETH.trade"], "count": 2},
        {"type": "unsubscription_ack", "unsubscribed": ["ETH.trade"], "count": 1},
        {"type": "pong", "ts": 1_700_000_000_000},
    ]


def test_id_is_echoed_in_every_answer(new_client):
    client = new_client()
    for message in (
        {"type": "subscribe", "data": {"channels": ["A.b"]}, "id": "q1"},
        {"type": "list", "id": "q1"},
        {"type": "heartbeat", "id": "q1"},
        {"type": "unsubscribe", "data": {"channels": ["A.b"]}, "id": "q1"},
        {"type": "dance", "id": "q1"},
        {"type": "subscribe", "data": {"channels": []}, "id": "q1"},
    ):
        client.send(message)
    assert [answer["id"] for answer in client.take()] == ["q1"] * 6


def test_subscribing_twice_is_no_error_and_delivers_once(hub, new_client, record):
    client = new_client()
    client.subscribe("BTC.trade", "BTC.trade")
    assert client.subscribe("BTC.trade")["count"] == 1
    hub.publish([record(1)])
    hub.flush()
    assert len(client.take()) == 1


def test_from_last_brings_the_newest_events_in_memory_after_the_ack_and_then_live(hub, new_client, record):
    hub.publish([record(n) for n in range(10)])
    client = new_client()
    client.send(
        {
            "type": "subscribe",
            "data": {"channels": ["BTC.trade", "ETH.trade"], "from": {"BTC.trade": {"last": 3}}},
        }
    )
    hub.publish([record(10)])
    hub.flush()
    ack, *events = client.take()
    assert ack["recovered"] == {"BTC.trade": 3}
    assert [event["pos"] for event in events] == ["e1.3.7", "e1.3.8", "e1.3.9", "e1.3.10"]
    assert [event["prev"] for event in events[1:]] == [event["pos"] for event in events[:-1]]


def test_list_and_heartbeat_tell_position_and_age(hub, new_client, record):
    client = new_client()
    client.subscribe("BTC.trade", "ETH.trade")
    hub.publish([record(-2500)])
    hub.flush()
    client.take()
    client.send({"type": "list"})
    client.send({"type": "heartbeat", "data": {"channels": True}})
    listed, pong = client.take()
    assert listed["channels"]["BTC.trade"] == {"policy": "all", "pos": "e1.3.-2500"}
    assert listed["channels"]["ETH.trade"] == {"policy": "all", "pos": None}
    assert pong["channels"]["BTC.trade"] == {"pos": "e1.3.-2500", "age_ms": 2500}
    assert pong["channels"]["ETH.trade"] == {"pos": None, "age_ms": None}


def subscribe(**data: object) -> bytes:
    return json.dumps({"type": "subscribe", "data": data}).encode()


@pytest.mark.parametrize(
    ("message", "code", "names"),
    [
        (b"", "bad_json", "not valid JSON"),
        (b"hello", "bad_json", "subscribe"),
        (b'{"type":"subscribe"', "bad_json", "not valid JSON"),
        (b"[]", "bad_message", "Expected `object`"),
        (b"null", "bad_message", "Expected `object`"),
        (b"{}", "bad_message", "type"),
        (b'{"type":5}', "bad_message", "$.type"),
        (b'{"type":"list","id":{}}', "bad_message", "$.id"),
        (b'{"type":"list","id":"%b"}' % (b"x" * 200), "bad_message", "128"),
        (b'{"type":"publish"}', "unknown_type", "subscribe, unsubscribe, list, heartbeat"),
        (b'{"type":"subscribe"}', "bad_request", "data is missing"),
        (b'{"type":"subscribe","data":[]}', "bad_request", "Expected `object`"),
        (b'{"type":"subscribe","data":null}', "bad_request", "Expected `object`"),
        (b'{"type":"unsubscribe"}', "bad_request", "data is missing"),
        (b'{"type":"heartbeat","data":{"channels":1}}', "bad_request", "bool"),
        (subscribe(), "bad_request", "channels"),
        (subscribe(channels="BTC.trade"), "bad_request", "Expected `array`"),
        (subscribe(channels=[1]), "bad_request", "Expected `str`"),
        (subscribe(channels=[]), "bad_request", "at least one"),
        (subscribe(channels=["BTC"]), "bad_channel", "<key>.<suffix>"),
        (subscribe(channels=["BTC trade.x"]), "bad_channel", "letters"),
        (subscribe(channels=["BTC..trade"]), "bad_channel", "BTC.trade"),
        (subscribe(channels=["BTC.trade", ""]), "bad_channel", "BTC.trade"),
        (subscribe(channels=["*"]), "bad_channel", "*.trade"),
        (subscribe(channels=["*.*"]), "bad_channel", "*.trade"),
        (subscribe(channels=["BT*.trade"]), "bad_channel", "BTC.*"),
        (subscribe(channels=["B.*.trade"]), "bad_channel", "BTC.*"),
        (subscribe(channels=[f"K{n}.*" for n in range(21)]), "too_many_patterns", "20"),
        (subscribe(channels=["A.b"], policy="latest"), "unsupported", "all"),
        (subscribe(channels=["A.b"], **{"from": {"A.b": "earliest"}}), "unsupported", "last"),
        (subscribe(channels=["A.b"], **{"from": {"A.b": {"last": 0}}}), "bad_request", "at least 1"),
        (subscribe(channels=["A.b"], **{"from": {"A.b": {"last": 1.5}}}), "unsupported", "int"),
        (subscribe(channels=["A.b"], **{"from": {"C.d": {"last": 1}}}), "bad_request", "not among channels"),
        (subscribe(channels=[f"A.c{n}" for n in range(1001)]), "too_many_channels", "1000"),
    ],
)
def test_a_malformed_message_gets_its_error_and_changes_nothing(new_client, message, code, names):
    client = new_client()
    client.send(message)
    (answer,) = client.take()
    assert answer["type"] == "error"
    assert answer["code"] == code
    assert names in answer["message"]
    assert client.closing is None
    assert client.session.channels == {}


def test_deep_nesting_is_answered(new_client):
    client = new_client()
    client.send(b'{"type":"list","data":' + b"[" * 50_000 + b"]" * 50_000 + b"}")
    assert client.take()[0]["type"] in ("error", "subscriptions")


def test_bad_utf8_closes(new_client):
    client = new_client()
    client.send(b'{"type":"\xff"}')
    assert client.closing is Closing.BAD_UTF8


def test_too_many_errors_close_but_errors_are_forgiven_with_time(new_client, settings):
    patient, hasty = new_client(), new_client()
    for _ in range(settings.max_errors * 3):
        patient.send(b"x")
        patient.now += 60
    assert patient.closing is None
    for _ in range(settings.max_errors):
        hasty.send(b"x")
    assert hasty.closing is None
    hasty.send(b"x")
    assert hasty.closing is Closing.ABUSE


def test_too_many_messages_are_refused_until_time_passes(new_client, settings):
    client = new_client()
    for _ in range(settings.message_burst):
        client.send({"type": "heartbeat"})
    assert {m["type"] for m in client.take()} == {"pong"}
    client.send({"type": "heartbeat"})
    assert client.take()[0]["code"] == "rate_limited"
    client.now += 1
    client.send({"type": "heartbeat"})
    assert client.take()[0]["type"] == "pong"


def test_zero_limits_mean_no_limit(hub):
    limits = GatewaySettings(max_messages_per_second=0, max_errors=0)
    session = Session(hub, Outbox(_Nowhere(), 1), limits)
    answers = [session.receive(b"x", 0.0, 0) for _ in range(1000)]
    assert all(answer.closing is None for answer in answers)
    assert b"rate_limited" not in answers[-1].frames[0]


def test_a_replay_larger_than_may_wait_is_refused_whole(hub, new_client, record, settings):
    for key in range(200):
        hub.publish([record(n, key=f"K{key}", value=b'"' + b"x" * 20_000 + b'"') for n in range(3)])
    client = new_client()
    names = [f"K{key}.trade" for key in range(200)]
    client.send({"type": "subscribe", "data": {"channels": names, "from": {n: {"last": 3} for n in names}}})
    assert client.take()[0]["code"] == "too_large"
    assert client.session.channels == {}


def test_patterns_are_held_counted_and_given_back_like_channels(hub, new_client, record):
    client = new_client()
    assert client.subscribe("BTC.*", "*.trade", "ETH.trade")["count"] == 3
    client.send({"type": "list"})
    assert client.take()[0]["channels"]["*.trade"] == {"policy": "all", "pos": None}
    client.send({"type": "unsubscribe", "data": {"channels": ["*.trade", "BTC.*"]}})
    assert client.take()[0]["count"] == 1
    hub.publish([record(1)])
    hub.flush()
    assert client.take() == []


def test_from_last_of_a_pattern_names_each_channel_it_brought(hub, new_client, record):
    hub.publish([record(1), record(2), record(3, key="ETH"), record(4, topic="odin.social")])
    client = new_client()
    client.send({"type": "subscribe", "data": {"channels": ["*.trade"], "from": {"*.trade": {"last": 1}}}})
    ack, *events = client.take()
    assert ack["recovered"] == {"BTC.trade": 1, "ETH.trade": 1}
    assert sorted(event["pos"] for event in events) == ["e1.3.2", "e1.3.3"]


def test_leaving_gives_all_channels_back(hub, new_client, record):
    client = new_client()
    client.subscribe("BTC.trade", "ETH.trade")
    client.session.leave()
    hub.publish([record(1)])
    hub.flush()
    assert client.take() == []
    assert all(not channel.outboxes for channel in hub.channels.values())
    assert "ETH.trade" not in hub.channels


def test_welcome_tells_protocol_server_ping_and_limits(settings):
    raw = welcome_frame("abcd", settings)
    welcome = json.loads(raw[raw.index(b"{") :])
    assert welcome["type"] == "welcome"
    assert welcome["protocol"] == 1
    assert welcome["server"] == "abcd"
    assert welcome["ping_interval_ms"] == 25_000
    assert welcome["limits"]["channels"] == settings.max_channels_per_session


class _Nowhere:
    def write(self, data: bytes) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["subscribe", "unsubscribe", "list", "heartbeat", "other"]) | JSON,
        "data": st.fixed_dictionaries(
            {},
            optional={
                "channels": st.lists(st.sampled_from(["A.b", "C.d", "E", "*.x", "A.*"]) | JSON, max_size=4)
                | JSON,
                "from": st.dictionaries(st.sampled_from(["A.b", "C.d"]), JSON, max_size=2) | JSON,
                "policy": JSON,
            },
        )
        | JSON,
        "id": JSON,
    },
)


@given(st.lists(st.binary(max_size=80) | MESSAGES.map(lambda m: json.dumps(m).encode()), max_size=15))
def test_any_messages_get_one_answer_each_or_a_close_and_the_books_balance(messages):
    hub = Hub(catalogue.TOPICS, ring_records=5, ring_bytes=1000, max_channels=100)
    outbox = Outbox(_Nowhere(), 1000)
    session = Session(hub, outbox, GatewaySettings())
    for message in messages:
        answer = session.receive(message, 0.0, 0)
        assert len(answer.frames) == 1 or answer.closing is not None
        held = {name for name, channel in hub.channels.items() if outbox in channel.outboxes}
        assert held == {name for name in session.channels if "*" not in name}
        if answer.closing is not None:
            break
    session.leave()
    assert not hub.channels
