"""The catalogue's facts hold together, and keys find their channels one to one."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from odin_ws import catalogue
from odin_ws.catalogue import Topic, channels_collide, encode_segment, is_channel_name

KEYS = st.one_of(
    st.binary(max_size=12), st.sampled_from([b"", b"_", b"__", b"___", b"\x00", b"%", b".", b"%5F"])
)


def topic(name: str, channel: str) -> Topic:
    return Topic(name, channel, 60)


def test_a_record_reaches_the_channel_of_its_key_and_topic():
    trades = catalogue.TOPICS[0]
    assert trades.name == "odin.trades"
    assert trades.channel_for(b"BTC") == "BTC.trade"
    assert trades.channel_for(None) == "_.trade"
    assert topic("orders", "{topic}.{key}.new").channel_for(b"a.b c") == "orders.a%2Eb%20c.new"


@given(KEYS)
def test_every_key_makes_a_valid_channel_name(key):
    assert is_channel_name(f"{encode_segment(key)}.trade")
    assert "." not in encode_segment(key)


@given(KEYS, KEYS)
@example(b"", b"\x00")
@example(b"_", b"%5F")
@example(b"__", b"%5F%5F")
def test_different_keys_have_different_channels(one, other):
    assert (encode_segment(one) == encode_segment(other)) == (one == other)


@given(KEYS)
def test_no_key_shares_the_channel_of_records_without_a_key(key):
    trades = catalogue.TOPICS[0]
    assert trades.channel_for(key) != trades.channel_for(None)


@given(KEYS.filter(bool))
def test_percent_decoding_gives_the_key_back(key):
    assert unquote_to_bytes(encode_segment(key)) == key


@pytest.mark.parametrize("name", ["BTC.trade", "a%2Eb.trade", "_.t", "x.y.z", "~a-b_c.d"])
def test_channel_names(name):
    assert is_channel_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "BTC", ".trade", "BTC.", "BTC..trade", "*.trade", "B C.trade", "a%2e.t", "a%2.t", "é.t", "B.t\n"],
)
def test_what_is_no_channel_name(name):
    assert not is_channel_name(name)


@pytest.mark.parametrize("name", ["orders", "odin.trades", "_x-1", "a" * 249])
def test_topic_names(name):
    assert catalogue.check_topic_name(name) is None


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "ä", "a" * 250, "a\n"])
def test_what_is_no_topic_name(name):
    assert "topic" in str(catalogue.check_topic_name(name))


@pytest.mark.parametrize("template", ["{key}.order", "{topic}.{key}", "v1.{topic}.{key}-x", "{key}.{key}"])
def test_channel_templates(template):
    assert catalogue.check_channel_template(template) is None


@pytest.mark.parametrize(
    ("template", "topic_name"),
    [
        ("orders", "t"),
        ("{key}", "t"),
        ("{key}.", "t"),
        ("{key}.{other}", "t"),
        ("{key} .x", "t"),
        ("{key}.{topic}", "a..b"),
    ],
)
def test_templates_that_make_no_channel_name_are_refused(template, topic_name):
    assert catalogue.check_channel_template(template, topic_name)


@pytest.mark.parametrize(
    ("one", "other", "collide"),
    [
        ("{key}.trade", "{key}.trade", True),
        ("{key}.trade", "x{key}.trade", True),
        ("{key}-a.trade", "{key}.trade", True),
        ("a{key}.trade", "b{key}.trade", False),
        ("{key}.trade", "{key}.order", False),
        ("{key}.trade", "{key}.trade.x", False),
        ("{key}.trade", "orders.{key}", False),
        ("{topic}.{key}", "one.{key}", True),
        ("{topic}.{key}", "{topic}.{key}", False),
    ],
)
def test_which_templates_name_the_same_channels(one, other, collide):
    first, second = topic("one", one), topic("two", other)
    assert channels_collide(first, second) is collide
    assert channels_collide(second, first) is collide


AFFIXES = st.sampled_from(["", "a", "b", "ab", "ba"])


@given(AFFIXES, AFFIXES, AFFIXES, AFFIXES, KEYS, KEYS)
def test_templates_that_do_not_collide_never_name_one_channel(before, after, before2, after2, one, other):
    first = topic("one", f"{before}{{key}}{after}.trade")
    second = topic("two", f"{before2}{{key}}{after2}.trade")
    if not channels_collide(first, second):
        assert first.channel_for(one) != second.channel_for(other)


def test_the_catalogue_holds_together():
    names = [topic.name for topic in catalogue.TOPICS]
    assert len(names) == len(set(names)) == 8
    assert {event.topic for event in catalogue.EVENT_TYPES} == set(names)
    assert len({event.name for event in catalogue.EVENT_TYPES}) == len(catalogue.EVENT_TYPES) == 23
    assert all(event.weight > 0 for event in catalogue.EVENT_TYPES)
    assert len(set(catalogue.TOKENS)) == 20
    assert all(
        catalogue.check_channel_template(topic.channel, topic.name) is None for topic in catalogue.TOPICS
    )
    pairs = [(a, b) for a in catalogue.TOPICS for b in catalogue.TOPICS if a is not b]
    assert not any(channels_collide(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("BTC.*", True),
        ("*.trade", True),
        ("orders.eu.*", True),
        ("*.eu.orders", True),
        ("%2E.*", True),
        ("*", False),
        ("*.*", False),
        (".*", False),
        ("*.", False),
        ("B*.trade", False),
        ("a.*.b", False),
        ("BTC.trade", False),
        ("", False),
    ],
)
def test_a_pattern_has_one_star_at_an_end(name, is_one):
    assert catalogue.is_channel_pattern(name) is is_one


def test_every_pattern_of_a_channel_is_one_and_matches_it():
    assert catalogue.patterns_of("BTC.trade") == ("BTC.*", "*.trade")
    assert catalogue.patterns_of("a.b.c") == ("a.*", "a.b.*", "*.b.c", "*.c")
    assert all(catalogue.is_channel_pattern(pattern) for pattern in catalogue.patterns_of("a.b.c"))
