"""The feed: where it starts, and that it goes on without a gap or a duplicate when the log comes back."""

import asyncio
import threading

import pytest

from odin_ws import catalogue
from odin_ws.eventlog.base import (
    Batch,
    LogUnavailable,
    Loss,
    PartitionState,
    Record,
    TopicPartition,
    TopicState,
)
from odin_ws.gateway.counts import Histogram
from odin_ws.gateway.feed import Feed
from odin_ws.gateway.hub import Hub

TRADES = catalogue.TOPICS[0]


class FakeLog:
    """One topic of one partition in memory; can fail, and be made anew."""

    title = "fake"

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.epoch = "a"
        self.records: list[Record] = []
        self.failing = False
        self.topic_exists = True
        self.opened = 0

    def open(self):
        self.opened += 1
        if self.failing:
            raise LogUnavailable("the log is away")
        return self

    def add(self, count: int) -> None:
        with self.lock:
            for _ in range(count):
                n = len(self.records)
                self.records.append(Record(TRADES.name, 0, n, n, b"BTC", b"%d" % n))
            self.lock.notify_all()

    def describe(self):
        if not self.topic_exists:
            return {}
        return {TRADES.name: TopicState(TRADES.name, self.epoch, 30, (PartitionState(0, len(self.records)),))}

    def offset_at(self, topic, partition, timestamp_ms):
        return 0

    def follow(self, starts):
        return FakeFollower(self, dict(starts))

    def close(self):
        pass


class FakeFollower:
    def __init__(self, log, starts):
        self.log = log
        self.follows = bool(starts)
        self.at = starts.get(TopicPartition(TRADES.name, 0), 0)

    def poll(self, timeout_seconds, max_records=2000):
        with self.log.lock:
            if self.at >= len(self.log.records) and not self.log.failing:
                self.log.lock.wait(0.02)
            if self.log.failing:
                raise LogUnavailable("the log is away")
            taken = self.log.records[self.at : self.at + 3] if self.follows else []
            self.at += len(taken)
            return Batch(taken, [])

    def lag(self):
        return len(self.log.records) - self.at

    def close(self):
        pass


class Listener:
    """A hub that writes down what it is given."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.losses: list[Loss] = []
        self.epochs: dict[str, str] = {}
        self.flushes = 0

    def publish(self, records):
        self.offsets += [record.offset for record in records]

    def lose(self, loss):
        self.losses.append(loss)

    def set_epoch(self, topic, epoch):
        self.epochs[topic] = epoch

    def flush(self):
        self.flushes += 1


async def until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")


@pytest.fixture
async def running():
    log, hub = FakeLog(), Listener()
    feeds = []

    def start(warm_seconds=0.0, tick_ms=0.0):
        feed = Feed(log.open, (TRADES.name,), hub, Histogram(), warm_seconds=warm_seconds, tick_ms=tick_ms)
        feed.start(asyncio.get_running_loop(), lambda: None)
        feeds.append(feed)
        return feed

    yield log, hub, start
    for feed in feeds:
        feed.stop()


async def test_a_cold_start_begins_at_the_end_and_a_warm_one_before(running):
    log, hub, start = running
    log.add(5)
    cold = start()
    await until(lambda: cold.state.last_poll)
    log.add(2)
    await until(lambda: len(hub.offsets) == 2)
    assert hub.offsets == [5, 6]
    start(warm_seconds=30)
    await until(lambda: len(hub.offsets) >= 9)
    assert hub.offsets[2:] == list(range(7))


async def test_a_log_that_went_away_and_came_back_costs_nothing(running):
    log, hub, start = running
    feed = start()
    await until(lambda: feed.state.last_poll)
    log.add(4)
    await until(lambda: len(hub.offsets) == 4)
    log.failing = True
    await until(lambda: not feed.state.connected)
    assert "away" in feed.state.problem
    log.add(4)
    log.failing = False
    await until(lambda: len(hub.offsets) == 8)
    assert hub.offsets == list(range(8))
    assert hub.losses == []
    assert feed.state.connected


async def test_a_topic_made_anew_is_a_loss_and_is_read_from_its_beginning(running):
    log, hub, start = running
    feed = start()
    await until(lambda: feed.state.last_poll)
    log.add(3)
    await until(lambda: len(hub.offsets) == 3)
    log.failing = True
    await until(lambda: not feed.state.connected)
    log.records.clear()
    log.epoch = "b"
    log.failing = False
    log.add(2)
    await until(lambda: len(hub.offsets) == 5)
    assert hub.offsets == [0, 1, 2, 0, 1]
    assert [(loss.reason, loss.epoch) for loss in hub.losses] == [("epoch", "b")]


async def test_topics_that_are_not_there_yet_are_named_and_waited_for(running):
    log, hub, start = running
    log.topic_exists = False
    feed = start()
    await until(lambda: feed.state.connected)
    assert feed.state.missing_topics == (TRADES.name,)
    log.add(3)
    log.topic_exists = True
    await until(lambda: not feed.state.missing_topics)
    await until(lambda: hub.offsets == [0, 1, 2])
    assert hub.epochs == {TRADES.name: "a"}


async def test_a_tick_joins_what_came_in_it_into_one_flush(running):
    log, hub, start = running
    feed = start(tick_ms=300)
    await until(lambda: feed.state.last_poll)
    for _ in range(5):
        log.add(3)
        await asyncio.sleep(0.01)
    await until(lambda: hub.flushes)
    assert len(hub.offsets) >= 6
    assert hub.flushes == 1


async def test_an_unexpected_error_is_shown_and_survived(running):
    log, _, start = running
    log.describe = lambda: 1 / 0
    feed = start()
    await until(lambda: "ZeroDivisionError" in feed.state.problem)
    del log.describe
    await until(lambda: feed.state.connected)


def test_hub_and_feed_agree_on_names():
    assert {name for name in dir(Listener) if not name.startswith("_")} <= set(dir(Hub))
