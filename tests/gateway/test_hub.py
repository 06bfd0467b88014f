"""The hub: each record once to each subscriber, in order, with an unbroken chain; one write a tick."""

from hypothesis import given
from hypothesis import strategies as st

from odin_ws import catalogue
from odin_ws.eventlog.base import Loss, Record
from odin_ws.gateway.hub import Hub


def test_an_event_has_channel_position_previous_timestamp_and_the_value_verbatim(hub, new_client, record):
    client = new_client()
    client.subscribe("BTC.trade")
    hub.publish([record(7, value=b'{ "price": 1.50 }')])
    hub.flush()
    raw = b"".join(client.transport.written)
    assert b'"data":{ "price": 1.50 }}' in raw
    assert client.take() == [
        {
            "type": "event",
            "channel": "BTC.trade",
            "pos": "e1.3.7",
            "prev": None,
            "ts": 1_700_000_000_007,
            "data": {"price": 1.5},
        }
    ]


def test_prev_is_the_position_of_the_channels_event_before_even_when_nobody_listened(hub, new_client, record):
    hub.publish([record(1), record(2, key="ETH"), record(3)])
    hub.flush()
    client = new_client()
    client.subscribe("BTC.trade")
    hub.publish([record(4), record(9)])
    hub.flush()
    assert [(e["prev"], e["pos"]) for e in client.take()] == [("e1.3.3", "e1.3.4"), ("e1.3.4", "e1.3.9")]


def test_a_tick_is_one_write_a_client_however_many_events_and_channels(hub, new_client, record):
    one, both = new_client(), new_client()
    one.subscribe("BTC.trade")
    both.subscribe("BTC.trade", "ETH.trade")
    hub.publish([record(1), record(2), record(1, key="ETH")])
    hub.flush()
    assert len(one.transport.written) == 1
    assert len(both.transport.written) == 1
    assert len(one.take()) == 2
    assert len(both.take()) == 3
    assert hub.counts.deliveries == 5
    assert hub.counts.writes == 2


def test_a_subscriber_gets_nothing_published_before_it_came_nor_after_it_left(hub, new_client, record):
    early, late = new_client(), new_client()
    early.subscribe("BTC.trade")
    hub.publish([record(1)])
    assert late.subscribe("BTC.trade")["count"] == 1
    hub.publish([record(2)])
    early.send({"type": "unsubscribe", "data": {"channels": ["BTC.trade"]}})
    hub.publish([record(3)])
    hub.flush()
    assert [m["pos"] for m in early.take() if m["type"] == "event"] == ["e1.3.1", "e1.3.2"]
    assert [m["pos"] for m in late.take()] == ["e1.3.2", "e1.3.3"]


def test_a_gap_is_told_before_the_next_event_and_mends_the_chain(hub, new_client, record):
    client, other = new_client(), new_client()
    client.subscribe("BTC.trade")
    other.subscribe("ETH.trade")
    hub.publish([record(1), record(1, key="ETH", partition=5)])
    hub.lose(Loss("odin.trades", 3, 2, 8, "expired", "e1"))
    hub.publish([record(9)])
    hub.flush()
    first, gap, after = client.take()
    assert gap == {
        "type": "gap",
        "channel": "BTC.trade",
        "from": "e1.3.1",
        "to": "e1.3.8",
        "reason": "expired",
    }
    assert first["pos"] == gap["from"]
    assert after["prev"] == gap["to"]
    assert [m["type"] for m in other.take()] == ["event"]


def test_a_new_epoch_is_a_gap_and_positions_are_of_the_new_one(hub, new_client, record):
    client = new_client()
    client.subscribe("BTC.trade")
    hub.publish([record(5)])
    hub.lose(Loss("odin.trades", 3, 6, 5, "epoch", "e2"))
    hub.publish([record(0)])
    hub.flush()
    _, gap, after = client.take()
    assert gap["reason"] == "epoch"
    assert after["pos"] == "e2.3.0"
    assert hub.channels["BTC.trade"].last_frames(10) == [hub.channels["BTC.trade"].last_frames(1)[0]]


def test_a_topic_that_is_not_mapped_is_counted_and_harms_nothing(hub, record):
    hub.publish([record(1, topic="nobody.mapped.this"), record(2)])
    assert hub.counts.unmapped == 1
    assert hub.position("BTC.trade") == "e1.3.2"


def test_channels_in_memory_are_bounded_and_the_longest_silent_go_first(record):
    hub = Hub(catalogue.TOPICS, ring_records=10, ring_bytes=1000, max_channels=10)
    hub.publish([record(n, key=f"K{n}") for n in range(25)])
    assert len(hub.channels) <= 10
    assert "K24.trade" in hub.channels
    assert "K0.trade" not in hub.channels


def test_channels_with_subscribers_are_never_forgotten(record, settings, new_client, hub):
    small = Hub(catalogue.TOPICS, ring_records=10, ring_bytes=1000, max_channels=3)
    client = new_client()
    small.subscribe(client.outbox, ["BTC.trade"], {})
    small.publish([record(n, key=f"K{n}") for n in range(20)])
    small.publish([record(99)])
    small.flush()
    assert [m["pos"] for m in client.take()] == ["0.3.99"]


def test_a_pattern_brings_every_matching_channel_also_one_that_begins_later(hub, new_client, record):
    by_key, by_suffix = new_client(), new_client()
    by_key.subscribe("BTC.*")
    by_suffix.subscribe("*.trade")
    hub.publish([record(1), record(1, key="ETH"), record(1, topic="odin.social")])
    hub.flush()
    assert sorted(m["channel"] for m in by_key.take()) == ["BTC.social", "BTC.trade"]
    assert sorted(m["channel"] for m in by_suffix.take()) == ["BTC.trade", "ETH.trade"]


def test_a_client_that_holds_name_and_patterns_gets_each_event_once(hub, new_client, record):
    client = new_client()
    client.subscribe("BTC.trade", "BTC.*", "*.trade")
    hub.publish([record(1), record(2)])
    hub.flush()
    assert len(client.take()) == 2
    assert len(client.transport.written) == 0
    client.send({"type": "unsubscribe", "data": {"channels": ["BTC.trade", "BTC.*"]}})
    client.take()
    hub.publish([record(3)])
    hub.flush()
    assert [m["prev"] for m in client.take()] == ["e1.3.2"]
    assert hub.counts.deliveries == 3


def test_a_gap_reaches_those_who_came_by_a_pattern(hub, new_client, record):
    client = new_client()
    client.subscribe("*.trade")
    hub.publish([record(1)])
    hub.lose(Loss("odin.trades", 3, 2, 8, "expired", "e1"))
    hub.flush()
    assert [m["type"] for m in client.take()] == ["event", "gap"]


def test_a_channel_that_a_pattern_matches_is_never_forgotten(new_client, record):
    small = Hub(catalogue.TOPICS, ring_records=10, ring_bytes=1000, max_channels=3)
    client = new_client()
    small.subscribe(client.outbox, ["K0.*"], {})
    small.publish([record(n, key=f"K{n}") for n in range(20)])
    small.publish([record(99, key="K0")])
    small.flush()
    assert [m["prev"] for m in client.take()] == [None, "0.3.0"]


KEYS = ("BTC", "ETH", "SOL")
NAMES = ("BTC.trade", "ETH.trade", "BTC.*", "*.trade", "SOL.*")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.lists(st.sampled_from(KEYS), min_size=1, max_size=5)),
        st.tuples(st.just("flush"), st.none()),
        st.tuples(st.just("join"), st.tuples(st.integers(0, 2), st.sampled_from(NAMES))),
        st.tuples(st.just("leave"), st.tuples(st.integers(0, 2), st.sampled_from(NAMES))),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_the_order_of_steps_each_client_sees_each_event_of_its_time_once(steps):
    """Model: a client is owed the records published while it held their channel, by name or pattern."""
    hub = Hub(catalogue.TOPICS, ring_records=5, ring_bytes=1000, max_channels=100)
    clients = [_Listener() for _ in range(3)]
    owed: list[list[str]] = [[] for _ in clients]
    offset = 0
    for step, what in steps:
        if step == "publish":
            for key in what:
                hub.publish([Record("odin.trades", 0, offset, offset, key.encode(), b"1")])
                for client, due in zip(clients, owed, strict=True):
                    if client.held & {f"{key}.trade", f"{key}.*", "*.trade"}:
                        due.append(f"0.0.{offset}")
                offset += 1
        elif step == "flush":
            hub.flush()
        else:
            client, name = clients[what[0]], what[1]
            if step == "join":
                hub.subscribe(client.outbox, [name], {})
                client.held.add(name)
            else:
                hub.unsubscribe(client.outbox, [name])
                client.held.discard(name)
    hub.flush()
    for client, due in zip(clients, owed, strict=True):
        assert sorted(client.positions()) == sorted(due)
        client.assert_order_in_each_channel()


class _Listener:
    def __init__(self) -> None:
        from odin_ws.gateway.outbox import Outbox

        self.data = b""
        self.held: set[str] = set()
        self.outbox = Outbox(self, 1_000_000)

    def write(self, data: bytes) -> None:
        self.data += data

    def get_write_buffer_size(self) -> int:
        return 0

    def events(self):
        import re

        return re.findall(rb'"channel":"([^"]+)","pos":"0\.0\.(\d+)"', self.data)

    def positions(self):
        return [f"0.0.{int(offset)}" for _, offset in self.events()]

    def assert_order_in_each_channel(self) -> None:
        last: dict[bytes, int] = {}
        for name, offset in self.events():
            assert int(offset) > last.get(name, -1)
            last[name] = int(offset)
