"""The simulator: repeatable, weighted as the catalogue says, records with the planned time and the token."""

import json
from collections import Counter

import pytest

from odin_ws.catalogue import EVENT_TYPES, TOKENS, EventType
from odin_ws.publisher.ndjson import compact
from odin_ws.publisher.simulator import Simulator

TIMES = range(1_750_000_000_000, 1_750_000_000_500)


def test_same_seed_gives_the_same_run() -> None:
    assert Simulator(TOKENS, 7).batch(TIMES) == Simulator(TOKENS, 7).batch(TIMES)


def test_another_seed_gives_another_run() -> None:
    assert Simulator(TOKENS, 7).batch(TIMES) != Simulator(TOKENS, 8).batch(TIMES)


def test_without_a_seed_one_is_taken_that_repeats_the_run() -> None:
    first, second = Simulator(TOKENS), Simulator(TOKENS)
    assert first.seed != second.seed
    assert Simulator(TOKENS, first.seed).batch(TIMES) == first.batch(TIMES)


def test_a_batch_is_the_same_as_one_by_one() -> None:
    one_by_one = Simulator(TOKENS, 7)
    assert [one_by_one.next(now_ms) for now_ms in TIMES] == Simulator(TOKENS, 7).batch(TIMES)


def test_a_record_carries_its_planned_time_and_its_token() -> None:
    for now_ms, draft in zip(TIMES, Simulator(["BTC", "ETH"], 7).batch(TIMES), strict=True):
        value = json.loads(draft.value)
        assert list(value) == ["type", "timestamp", "data"]
        assert draft.timestamp_ms == value["timestamp"] == now_ms
        assert draft.key in (b"BTC", b"ETH")


def test_values_are_compact_json() -> None:
    for draft in Simulator(TOKENS, 7).batch(TIMES):
        assert compact(draft.value) == draft.value


def test_types_come_by_weight_and_on_their_topic() -> None:
    drafts = Simulator(TOKENS, 3).batch(range(100_000))
    counts = Counter((json.loads(draft.value)["type"], draft.topic) for draft in drafts)
    total = sum(kind.weight for kind in EVENT_TYPES)
    assert set(counts) == {(kind.name, kind.topic) for kind in EVENT_TYPES}
    for kind in EVENT_TYPES:
        expected = 100_000 * kind.weight / total
        assert counts[kind.name, kind.topic] == pytest.approx(expected, abs=5 * expected**0.5)


def test_tokens_come_about_equally_often() -> None:
    counts = Counter(draft.key for draft in Simulator(TOKENS, 3).batch(range(40_000)))
    assert len(counts) == 20
    assert max(counts.values()) < 1.2 * min(counts.values())


def test_a_type_without_weight_never_comes() -> None:
    kinds = [
        EventType("TRADE_EXECUTED", "odin.trades", 0),
        EventType("TRENDING_UPDATED", "odin.analytics", 1),
    ]
    drafts = Simulator(["BTC"], 3, kinds).batch(range(100))
    assert {draft.topic for draft in drafts} == {"odin.analytics"}


def test_no_tokens_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        Simulator([])
