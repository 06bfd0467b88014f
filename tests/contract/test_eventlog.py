"""What every engine of the event log promises (see eventlog/base.py), through the port alone."""

import itertools
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odin_ws.catalogue import Topic
from odin_ws.eventlog.base import (
    Batch,
    Draft,
    EventLog,
    Follower,
    Loss,
    Record,
    TopicMismatch,
    TopicPartition,
    UnknownTopic,
)

OpenLog = Callable[[], EventLog]

HOUR_MS = 3_600_000
PATIENCE_SECONDS = 60
#: Other examples of a property use the same log, each with topics of its own.
with_one_log = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_names = itertools.count()


def topic(name: str = "orders", partitions: int = 3, retention_seconds: float = 60) -> Topic:
    return Topic(name, "{key}.orders", retention_seconds, partitions)


def one_partition(log: EventLog, retention_seconds: float = 60) -> str:
    """A fresh topic with a single partition."""
    name = f"single-{next(_names)}"
    log.create_topics([topic(name, 1, retention_seconds)])
    return name


def drafts(name: str, values: Iterable[bytes], key: bytes | None = b"k") -> list[Draft]:
    return [Draft(name, key, value) for value in values]


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


def expired(name: str, count: int) -> list[Draft]:
    """Drafts that retention removes as soon as it is enforced."""
    return [Draft(name, b"k", b"old", _now_ms() - HOUR_MS) for _ in range(count)]


def follow_all(log: EventLog, name: str, start: int = 0) -> Follower:
    partitions = len(log.describe()[name].partitions)
    return log.follow({TopicPartition(name, number): start for number in range(partitions)})


def take(follower: Follower, count: int) -> list[Record]:
    """Exactly `count` records, without a loss, and nothing behind them."""
    records: list[Record] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(records) < count and time.monotonic() < deadline:
        batch = follower.poll(1.0)
        assert batch.losses == []
        records.extend(batch.records)
    assert len(records) == count
    assert follower.poll(0) == Batch([], [])
    return records


def assert_no_gap(records: list[Record], start: int = 0) -> None:
    """Offsets of each partition grow by one from `start`."""
    offsets = defaultdict(list)
    for record in records:
        offsets[record.topic, record.partition].append(record.offset)
    for found in offsets.values():
        assert found == list(range(start, start + len(found)))


def values(records: list[Record]) -> list[bytes]:
    return [record.value for record in records]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class TestTopics:
    def test_a_fresh_topic_is_empty_and_has_an_epoch_fit_for_positions(self, log: EventLog) -> None:
        assert log.create_topics([topic(partitions=3, retention_seconds=1.5)]) == ["orders"]
        state = log.describe()["orders"]
        assert (state.name, state.retention_seconds, len(state.partitions)) == ("orders", 1.5, 3)
        assert all((p.earliest, p.end) == (0, 0) for p in state.partitions)
        assert state.epoch.isascii()
        assert state.epoch.isalnum()

    def test_creating_again_keeps_records_and_sets_retention(self, log: EventLog) -> None:
        log.create_topics([topic(retention_seconds=60)])
        log.append(drafts("orders", numbered(3)))
        before = log.describe()["orders"]
        assert log.create_topics([topic(retention_seconds=90), topic("others")]) == ["others"]
        after = log.describe()["orders"]
        assert after.retention_seconds == 90
        assert (after.epoch, after.partitions) == (before.epoch, before.partitions)

    def test_another_number_of_partitions_is_refused(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=3)])
        with pytest.raises(TopicMismatch, match="3 partitions"):
            log.create_topics([topic(partitions=4)])
        assert len(log.describe()["orders"].partitions) == 3

    def test_deleting_ignores_unknown_names(self, log: EventLog) -> None:
        log.create_topics([topic("a"), topic("b")])
        assert log.delete_topics(["a", "nothing"]) == ["a"]
        assert list(log.describe()) == ["b"]
        assert log.delete_topics(["a"]) == []

    def test_a_topic_created_again_begins_anew(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=1)])
        log.append(drafts("orders", numbered(5)))
        epoch = log.describe()["orders"].epoch
        log.delete_topics(["orders"])
        assert log.create_topics([topic(partitions=2)]) == ["orders"]
        state = log.describe()["orders"]
        assert state.epoch != epoch
        assert [(p.earliest, p.end) for p in state.partitions] == [(0, 0), (0, 0)]
        assert log.read("orders", 0, 0, 10) == []
        assert log.append(drafts("orders", [b"new"]))[0].offset == 0

    def test_other_openings_of_the_log_see_changes_of_topics(self, log: EventLog, open_log: OpenLog) -> None:
        other = open_log()
        log.create_topics([topic(partitions=1)])
        assert other.append(drafts("orders", [b"a"]))[0].offset == 0
        log.delete_topics(["orders"])
        with pytest.raises(UnknownTopic):
            other.append(drafts("orders", [b"b"]))
        log.create_topics([topic(partitions=1)])
        assert other.append(drafts("orders", [b"c"]))[0].offset == 0

    def test_ping_answers_on_an_empty_log(self, log: EventLog) -> None:
        log.ping()
        assert log.describe() == {}


class TestAppend:
    @with_one_log
    @given(
        batches=st.lists(
            st.lists(st.tuples(st.one_of(st.none(), st.binary(max_size=2)), st.binary(max_size=300))),
            max_size=6,
        )
    )
    def test_what_was_appended_is_read_back(
        self, log: EventLog, batches: list[list[tuple[bytes | None, bytes]]]
    ) -> None:
        name = f"any-{next(_names)}"
        log.create_topics([topic(name, 3)])
        expected: dict[int, list[tuple[bytes | None, bytes]]] = defaultdict(list)
        for batch in batches:
            places = log.append([Draft(name, key, value) for key, value in batch])
            assert [place.topic for place in places] == [name] * len(batch)
            for place, pair in zip(places, batch, strict=True):
                assert place.offset == len(expected[place.partition])
                expected[place.partition].append(pair)
        for number in range(3):
            records = log.read(name, number, 0, 1000)
            assert_no_gap(records)
            assert [(record.key, record.value) for record in records] == expected[number]

    def test_nothing_to_append_is_fine(self, log: EventLog) -> None:
        assert log.append([]) == []

    def test_keys_go_where_kafka_puts_them(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=12)])
        places = log.append([Draft("orders", key, b"") for key in (b"foobar", b"21", b"foobar")])
        assert [place.partition for place in places] == [
            (-790332482 & 0x7FFFFFFF) % 12,
            (-973932308 & 0x7FFFFFFF) % 12,
            (-790332482 & 0x7FFFFFFF) % 12,
        ]
        assert [place.offset for place in places] == [0, 0, 1]

    def test_records_without_a_key_spread_over_partitions(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=3)])
        used = {log.append(drafts("orders", [b"v"], key=None))[0].partition for _ in range(60)}
        assert used == {0, 1, 2}

    def test_an_empty_key_is_a_key_and_no_key_is_none(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append([Draft(name, b"", b"a"), Draft(name, None, b"b")])
        assert [(r.key, r.value) for r in log.read(name, 0, 0, 10)] == [(b"", b"a"), (None, b"b")]

    def test_values_may_be_empty_or_large(self, log: EventLog) -> None:
        name = one_partition(log)
        large = random.Random(3).randbytes(1_000_000)
        log.append(drafts(name, [b"", large, b""]))
        assert values(log.read(name, 0, 0, 10)) == [b"", large, b""]
        assert values(take(follow_all(log, name), 3)) == [b"", large, b""]

    def test_a_batch_may_be_large(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=3)])
        batch = [Draft("orders", b"%d" % (number % 50), b"%d" % number) for number in range(20_000)]
        assert len(log.append(batch)) == 20_000
        records = take(follow_all(log, "orders"), 20_000)
        assert_no_gap(records)
        assert sorted(int(record.value) for record in records) == list(range(20_000))

    def test_one_append_may_go_to_several_topics(self, log: EventLog) -> None:
        log.create_topics([topic("a", 1), topic("b", 1)])
        places = log.append([Draft(name, b"k", b"v") for name in "abab"])
        assert [(place.topic, place.offset) for place in places] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]

    def test_a_timestamp_is_kept_and_a_missing_one_is_now(self, log: EventLog) -> None:
        name = one_partition(log)
        before = _now_ms()
        log.append([Draft(name, b"k", b"a", 1234), Draft(name, b"k", b"b"), Draft(name, b"k", b"c", 0)])
        given_one, stamped, zero = log.read(name, 0, 0, 10)
        assert (given_one.timestamp_ms, zero.timestamp_ms) == (1234, 0)
        assert before <= stamped.timestamp_ms <= _now_ms()

    def test_an_unknown_topic_leaves_nothing_behind(self, log: EventLog) -> None:
        name = one_partition(log)
        follower = follow_all(log, name)
        with pytest.raises(UnknownTopic, match="'nowhere'") as raised:
            log.append([*drafts(name, numbered(3)), Draft("nowhere", b"k", b"v"), *drafts(name, numbered(3))])
        assert name in raised.value.message
        assert log.describe()[name].partitions[0].end == 0
        assert follower.poll(0) == Batch([], [])
        assert [place.offset for place in log.append(drafts(name, [b"a", b"b"]))] == [0, 1]
        assert values(take(follower, 2)) == [b"a", b"b"]

    def test_writers_taking_turns_share_the_offsets(self, log: EventLog, open_log: OpenLog) -> None:
        name = one_partition(log)
        writers = [log, open_log(), open_log()]
        offsets = [writer.append(drafts(name, [b"v"]))[0].offset for writer in writers * 5]
        assert offsets == list(range(15))


class TestRead:
    def test_a_range_begins_and_ends_where_asked(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append(drafts(name, numbered(10)))
        assert [r.offset for r in log.read(name, 0, 4, 3)] == [4, 5, 6]
        assert [r.offset for r in log.read(name, 0, 8, 100)] == [8, 9]
        assert log.read(name, 0, 10, 5) == []
        assert log.read(name, 0, 99, 5) == []

    def test_a_range_before_the_earliest_begins_at_the_earliest(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append([*expired(name, 5), *drafts(name, numbered(2))])
        log.enforce_retention()
        assert [r.offset for r in log.read(name, 0, 0, 10)] == [5, 6]

    def test_what_does_not_exist_is_named(self, log: EventLog) -> None:
        name = one_partition(log)
        with pytest.raises(UnknownTopic, match="'nowhere'"):
            log.read("nowhere", 0, 0, 1)
        with pytest.raises(TopicMismatch, match="7"):
            log.read(name, 7, 0, 1)


class TestOffsetAt:
    @with_one_log
    @given(st.lists(st.integers(0, 8), max_size=20), st.integers(-1, 9))
    def test_it_is_the_first_record_not_older(self, log: EventLog, stamps: list[int], wanted: int) -> None:
        name = one_partition(log)
        log.append([Draft(name, b"k", b"", stamp) for stamp in stamps])
        expected = next((i for i, stamp in enumerate(stamps) if stamp >= wanted), len(stamps))
        assert log.offset_at(name, 0, wanted) == expected

    def test_it_skips_what_retention_removed(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append([*expired(name, 4), *drafts(name, numbered(2))])
        log.enforce_retention()
        assert log.offset_at(name, 0, 0) == 4
        assert log.offset_at(name, 0, _now_ms() + HOUR_MS) == 6

    def test_an_unknown_topic_is_named(self, log: EventLog) -> None:
        with pytest.raises(UnknownTopic, match="'nowhere'"):
            log.offset_at("nowhere", 0, 0)


class TestRetention:
    def test_it_removes_by_timestamp_and_keeps_the_offsets(self, log: EventLog) -> None:
        name = one_partition(log, retention_seconds=60)
        log.append([*expired(name, 7), *drafts(name, numbered(3))])
        assert log.enforce_retention() == 7
        assert log.enforce_retention() == 0
        state = log.describe()[name].partitions[0]
        assert (state.earliest, state.end) == (7, 10)
        assert values(log.read(name, 0, 0, 100)) == numbered(3)

    def test_offsets_go_on_when_everything_is_gone(self, log: EventLog, open_log: OpenLog) -> None:
        name = one_partition(log)
        log.append(expired(name, 5))
        assert log.enforce_retention() == 5
        state = log.describe()[name].partitions[0]
        assert (state.earliest, state.end) == (5, 5)
        assert open_log().append(drafts(name, [b"v"]))[0].offset == 5

    def test_each_topic_has_its_own(self, log: EventLog) -> None:
        log.create_topics([topic("short", 1, 60), topic("long", 1, 10 * 3600)])
        log.append([*expired("short", 3), *expired("long", 3)])
        assert log.enforce_retention() == 3
        assert len(log.read("long", 0, 0, 10)) == 3

    def test_a_young_record_keeps_the_ones_behind_it(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append([*expired(name, 1), *drafts(name, [b"young"]), *expired(name, 2)])
        assert log.enforce_retention() == 1
        assert log.describe()[name].partitions[0].earliest == 1
        assert len(log.read(name, 0, 0, 10)) == 3

    def test_a_large_backlog_goes_too(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=3)])
        old = _now_ms() - HOUR_MS
        log.append([Draft("orders", b"%d" % (i % 20), b"v", old) for i in range(5000)])
        assert log.enforce_retention() == 5000
        assert all(p.earliest == p.end for p in log.describe()["orders"].partitions)


class TestFollow:
    def test_from_earlier_offsets_then_live(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=3)])
        batch = [Draft("orders", b"%d" % (i % 10), b"%d" % i) for i in range(100)]
        log.append(batch[:60])
        follower = follow_all(log, "orders")
        first = take(follower, 60)
        log.append(batch[60:])
        records = first + take(follower, 40)
        assert_no_gap(records)
        assert sorted(values(records)) == sorted(numbered(100))

    def test_each_partition_from_its_own_offset(self, log: EventLog) -> None:
        log.create_topics([topic("a", 1), topic("b", 1)])
        log.append([*drafts("a", numbered(10)), *drafts("b", numbered(10))])
        follower = log.follow({TopicPartition("a", 0): 7, TopicPartition("b", 0): 2})
        records = take(follower, 3 + 8)
        assert [r.offset for r in records if r.topic == "a"] == [7, 8, 9]
        assert [r.offset for r in records if r.topic == "b"] == list(range(2, 10))

    def test_from_the_end_comes_only_what_is_new(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append(drafts(name, numbered(5)))
        follower = follow_all(log, name, start=5)
        assert follower.poll(0) == Batch([], [])
        log.append(drafts(name, [b"new"]))
        assert [r.offset for r in take(follower, 1)] == [5]

    def test_from_beyond_the_end_it_waits_for_that_offset(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append(drafts(name, numbered(2)))
        follower = follow_all(log, name, start=4)
        log.append(drafts(name, numbered(2, 2)))
        assert follower.poll(0) == Batch([], [])
        log.append(drafts(name, numbered(2, 4)))
        assert values(take(follower, 2)) == [b"4", b"5"]

    def test_only_the_partitions_named(self, log: EventLog) -> None:
        log.create_topics([topic("a", 3), topic("b", 3)])
        log.append([Draft(name, b"%d" % i, b"") for i in range(60) for name in "ab"])
        wanted = len(log.read("a", 1, 0, 1000))
        records = take(log.follow({TopicPartition("a", 1): 0}), wanted)
        assert {(r.topic, r.partition) for r in records} == {("a", 1)}

    def test_a_poll_brings_no_more_than_asked_and_loses_nothing(self, log: EventLog) -> None:
        log.create_topics([topic(partitions=3)])
        log.append([Draft("orders", b"%d" % (i % 7), b"%d" % i) for i in range(100)])
        follower = follow_all(log, "orders")
        records = []
        while batch := follower.poll(0, max_records=7).records:
            assert len(batch) <= 7
            records.extend(batch)
        assert_no_gap(records)
        assert len(records) == 100

    def test_a_waiting_poll_ends_with_the_first_record(self, log: EventLog, open_log: OpenLog) -> None:
        name = one_partition(log)
        follower = follow_all(log, name)
        found: list[Batch] = []
        waiting = threading.Thread(target=lambda: found.append(follower.poll(PATIENCE_SECONDS)))
        waiting.start()
        open_log().append(drafts(name, [b"v"]))
        waiting.join(PATIENCE_SECONDS / 2)
        assert not waiting.is_alive()
        assert values(found[0].records) == [b"v"]

    def test_followers_do_not_disturb_each_other(self, log: EventLog) -> None:
        name = one_partition(log)
        first, second = follow_all(log, name), follow_all(log, name)
        log.append(drafts(name, numbered(5)))
        assert values(take(first, 5)) == numbered(5)
        first.close()
        first.close()
        assert values(take(second, 5)) == numbered(5)

    def test_what_does_not_exist_is_named(self, log: EventLog) -> None:
        name = one_partition(log)
        with pytest.raises(UnknownTopic, match="'nowhere'"):
            log.follow({TopicPartition("nowhere", 0): 0})
        with pytest.raises(TopicMismatch, match="1"):
            log.follow({TopicPartition(name, 1): 0})

    def test_lag_counts_what_was_not_returned(self, log: EventLog) -> None:
        log.create_topics([topic("a", 1), topic("b", 1)])
        follower = follow_all(log, "a")
        assert follower.lag() == 0
        log.append([*drafts("a", numbered(10)), *drafts("b", numbered(10))])
        assert follower.lag() == 10
        follower.poll(0, max_records=4)
        assert follower.lag() == 6
        take(follower, 6)
        assert follower.lag() == 0
        assert follow_all(log, "a", start=25).lag() == 0

    def test_lag_does_not_count_what_expired(self, log: EventLog) -> None:
        name = one_partition(log)
        follower = follow_all(log, name)
        log.append([*expired(name, 5), *drafts(name, numbered(3))])
        log.enforce_retention()
        assert follower.lag() == 3


class TestLosses:
    def test_a_start_before_the_earliest_is_told(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append([*expired(name, 6), *drafts(name, numbered(2))])
        log.enforce_retention()
        batch = follow_all(log, name, start=2).poll(PATIENCE_SECONDS)
        assert batch.losses == [Loss(name, 0, 2, 5, "expired", log.describe()[name].epoch)]
        assert [r.offset for r in batch.records] == [6, 7]

    def test_a_slow_follower_is_told_what_expired_before_it_came(self, log: EventLog) -> None:
        name = one_partition(log)
        follower = follow_all(log, name)
        log.append(expired(name, 6))
        assert [r.offset for r in follower.poll(PATIENCE_SECONDS, max_records=2).records] == [0, 1]
        log.enforce_retention()
        assert follower.poll(PATIENCE_SECONDS) == Batch(
            [], [Loss(name, 0, 2, 5, "expired", log.describe()[name].epoch)]
        )
        log.append(drafts(name, [b"next"]))
        assert [r.offset for r in take(follower, 1)] == [6]

    def test_what_expired_after_it_was_read_is_no_loss(self, log: EventLog) -> None:
        name = one_partition(log)
        follower = follow_all(log, name)
        log.append(expired(name, 6))
        take(follower, 6)
        log.enforce_retention()
        assert follower.poll(0) == Batch([], [])

    def test_a_topic_created_again_is_told_and_followed(self, log: EventLog) -> None:
        name = one_partition(log)
        log.append(drafts(name, numbered(5)))
        follower = follow_all(log, name)
        take(follower, 5)
        log.delete_topics([name])
        log.create_topics([topic(name, 1)])
        log.append(drafts(name, [b"a", b"b"]))
        batch = follower.poll(PATIENCE_SECONDS)
        assert batch.losses == [Loss(name, 0, 5, 4, "epoch", log.describe()[name].epoch)]
        assert [(r.offset, r.value) for r in batch.records] == [(0, b"a"), (1, b"b")]
        assert follower.lag() == 0

    def test_records_deleted_with_their_topic_are_counted(self, log: EventLog) -> None:
        name = one_partition(log)
        follower = follow_all(log, name)
        log.append(drafts(name, numbered(5)))
        follower.poll(PATIENCE_SECONDS, max_records=2)
        log.delete_topics([name])
        log.create_topics([topic(name, 1)])
        (loss,) = follower.poll(PATIENCE_SECONDS).losses
        assert (loss.first, loss.reason) == (2, "epoch")
        assert loss.last in (1, 4)

    def test_a_deleted_topic_is_silence(self, log: EventLog) -> None:
        log.create_topics([topic("a", 1), topic("b", 1)])
        follower = log.follow({TopicPartition("a", 0): 0, TopicPartition("b", 0): 0})
        log.append([*drafts("a", numbered(3)), *drafts("b", numbered(3))])
        log.delete_topics(["a"])
        assert {r.topic for r in take(follower, 3)} == {"b"}

    @with_one_log
    @given(
        steps=st.lists(
            st.one_of(
                st.tuples(st.just("append"), st.integers(1, 6)),
                st.tuples(st.just("expire"), st.integers(1, 6)),
                st.tuples(st.just("poll"), st.integers(1, 5)),
                st.just(("retention", 0)),
            ),
            max_size=20,
        ),
        start=st.integers(0, 8),
    )
    def test_every_offset_comes_once_or_is_told_as_lost(
        self, log: EventLog, steps: list[tuple[str, int]], start: int
    ) -> None:
        name = one_partition(log)
        follower = follow_all(log, name, start)
        end, got = 0, list[int]()

        def poll(max_records: int) -> bool:
            batch = follower.poll(0, max_records)
            for loss in batch.losses:
                got.extend(range(loss.first, loss.last + 1))
            got.extend(record.offset for record in batch.records)
            return bool(batch.losses or batch.records)

        for step, count in steps:
            if step == "poll":
                poll(count)
            elif step == "retention":
                log.enforce_retention()
            else:
                log.append(expired(name, count) if step == "expire" else drafts(name, numbered(count)))
                end += count
        while poll(3):
            pass
        assert got == list(range(start, max(start, end)))
        follower.close()


@pytest.mark.integration
class TestProcesses:
    def test_concurrent_writers_lose_and_repeat_nothing(
        self, log: EventLog, open_log: OpenLog, start_writer: Any
    ) -> None:
        log.create_topics([topic(partitions=3)])
        follower = follow_all(log, "orders")
        labels = ["BTC", "ETH", "SOL"]
        writers = [start_writer("orders", label, 60, 7) for label in labels]
        records: list[Record] = []
        while len(records) < 200:
            records.extend(follower.poll(PATIENCE_SECONDS).records)
        late = follow_all(open_log(), "orders")
        records.extend(take(follower, 3 * 60 * 7 - len(records)))
        assert [writer.wait() for writer in writers] == [0, 0, 0]
        for found in (records, take(late, 3 * 60 * 7)):
            assert_no_gap(found)
            for label in labels:
                mine = [r.value.decode() for r in found if r.key == label.encode()]
                assert mine == [f"{label}:{batch}:{index}" for batch in range(60) for index in range(7)]

    def test_a_batch_is_seen_whole_or_not_at_all(self, log: EventLog, start_writer: Any) -> None:
        name = one_partition(log)
        writer = start_writer(name, "BTC", 100, 40)
        ends = set()
        while writer.poll() is None:
            ends.add(log.describe()[name].partitions[0].end)
        assert log.describe()[name].partitions[0].end == 4000
        assert {end % 40 for end in ends} == {0}

    def test_killed_writers_lose_nothing_acknowledged_and_tear_nothing(
        self, log: EventLog, start_writer: Any
    ) -> None:
        name = one_partition(log)
        follower = follow_all(log, name)
        acknowledged: dict[int, str] = {}
        for life in range(12):
            writer = start_writer(name, f"w{life}", 0, 25)
            lines = [writer.stdout.readline() for _ in range(1 + 3 * life)]
            writer.kill()
            lines.extend(writer.stdout.read().splitlines(keepends=True))
            for line in lines:
                if line.endswith("\n"):
                    batch, offset = map(int, line.split())
                    acknowledged[offset] = f"w{life}:{batch}"
        end = log.describe()[name].partitions[0].end
        records = take(follower, end)
        assert_no_gap(records)
        assert end % 25 == 0
        for first in range(0, end, 25):
            label, number, _ = records[first].value.decode().split(":")
            whole = [f"{label}:{number}:{index}" for index in range(25)]
            assert [r.value.decode() for r in records[first : first + 25]] == whole
        assert acknowledged
        for offset, batch_name in acknowledged.items():
            assert records[offset].value.decode() == f"{batch_name}:0"
        assert log.append(drafts(name, [b"after"]))[0].offset == end
