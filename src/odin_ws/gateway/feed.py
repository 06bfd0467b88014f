"""The feed: a thread that follows the event log and hands whole batches to the hub's loop.

It opens the log, starts `warm_seconds` back, blocks for the first record, takes what is there and wakes
the loop once a batch. When the log is away it keeps trying and goes on where it stood; when a topic was
made anew it says so to the hub. Back-pressure: it stops reading while the loop has too much to do, so
what is not yet delivered stays in the log, not in memory.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from odin_ws.eventlog.base import (
    Batch,
    EventLog,
    Follower,
    LogError,
    Loss,
    TopicPartition,
    TopicState,
)
from odin_ws.gateway.counts import Histogram
from odin_ws.gateway.hub import Hub
from odin_ws.structured_log import get_log

_log = get_log(__name__)

#: Records that may wait for the loop before the thread stops reading.
MAX_WAITING_RECORDS = 20_000
POLL_SECONDS = 0.5
RETRY_SECONDS = 0.25


@dataclass(frozen=True)
class FeedState:
    """What the feed knows of itself; times are of the monotonic clock, in seconds."""

    connected: bool = False
    problem: str = "not started"
    missing_topics: tuple[str, ...] = ()
    lag_records: int = 0
    last_poll: float = 0.0
    last_record: float = 0.0
    last_timestamp_ms: int = 0


@dataclass
class _Cursor:
    """Where to go on, and which epoch each topic had when we read it."""

    offsets: dict[TopicPartition, int] = field(default_factory=dict)
    epochs: dict[str, str] = field(default_factory=dict)
    placed: bool = False


class Feed:
    """Follows all mapped topics; `start` and `stop` are called on the loop's thread."""

    def __init__(
        self,
        open_log: Callable[[], EventLog],
        topics: tuple[str, ...],
        hub: Hub,
        latency: Histogram,
        *,
        warm_seconds: float,
        tick_ms: float,
    ) -> None:
        self.state = FeedState(missing_topics=topics)
        self._open_log = open_log
        self._topics = topics
        self._hub = hub
        self._latency = latency
        self._after_flush: Callable[[], None] = _nothing
        self._warm_seconds = warm_seconds
        self._tick_seconds = tick_ms / 1000
        self._cursor = _Cursor()
        self._waiting: list[Batch] = []
        self._waiting_records = 0
        self._unflushed: list[Batch] = []
        self._taken = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop, after_flush: Callable[[], None]) -> None:
        """Begin to follow; batches arrive on `loop`, which calls `after_flush` after each write."""
        self._loop = loop
        self._after_flush = after_flush
        self._live_since_ms = int(time.time() * 1000)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it has handed over is still delivered."""
        self._stopping.set()
        with self._taken:
            self._taken.notify_all()
        self._thread.join(timeout=5)

    # The loop's side

    def _take(self) -> None:
        with self._taken:
            batches, self._waiting = self._waiting, []
            self._waiting_records = 0
            self._taken.notify_all()
        for batch in batches:
            for loss in batch.losses:
                self._hub.lose(loss)
            self._hub.publish(batch.records)
        tick_is_running = bool(self._unflushed)
        self._unflushed += batches
        if not self._tick_seconds:
            self._flush()
        elif not tick_is_running:
            self._loop.call_later(self._tick_seconds, self._flush)

    def _flush(self) -> None:
        self._hub.flush()
        self._after_flush()
        batches, self._unflushed = self._unflushed, []
        now_ms, since_ms = time.time() * 1000, self._live_since_ms
        for batch in batches:
            for record in batch.records:
                if record.timestamp_ms >= since_ms:
                    self._latency.add(max(0.0, now_ms - record.timestamp_ms) / 1000)

    # The thread's side

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow_once()
            except LogError as error:
                self._away(error.message, error)
            except Exception as error:
                self._away(f"internal error: {error!r}", error)

    def _away(self, problem: str, error: Exception) -> None:
        if problem != self.state.problem:
            _log.warning(
                "event log away, trying again", reason=problem, exc_info=not isinstance(error, LogError)
            )
        self._note(connected=False, problem=problem)
        self._stopping.wait(RETRY_SECONDS)

    def _follow_once(self) -> None:
        log = self._open_log()
        try:
            known = log.describe()
            missing = tuple(name for name in self._topics if name not in known)
            self._note(connected=True, problem="", missing_topics=missing)
            self._place(log, [known[name] for name in self._topics if name in known])
            follower = log.follow(self._cursor.offsets)
            try:
                self._poll(follower, log, time.monotonic() + 1 if missing else None)
            finally:
                follower.close()
        finally:
            log.close()

    def _place(self, log: EventLog, topics: list[TopicState]) -> None:
        """Set an offset for each partition: where we stood, or a warm start, or 0 in a new epoch.

        A topic or partition that was not there when the feed began is read from its beginning.
        """
        beginning = not self._cursor.placed
        self._cursor.placed = True
        losses: list[Loss] = []
        for topic in topics:
            before = self._cursor.epochs.get(topic.name)
            self._cursor.epochs[topic.name] = topic.epoch
            if before is None:
                self._begin(log, topic, beginning)
            elif before != topic.epoch:
                losses += self._begin_again(topic)
        if losses:
            self._hand_over(Batch([], losses))

    def _begin(self, log: EventLog, topic: TopicState, beginning: bool) -> None:
        self._loop.call_soon_threadsafe(self._hub.set_epoch, topic.name, topic.epoch)
        since_ms = int((time.time() - self._warm_seconds) * 1000)
        for number, partition in enumerate(topic.partitions):
            offset = 0
            if beginning:
                warm = self._warm_seconds > 0
                offset = log.offset_at(topic.name, number, since_ms) if warm else partition.end
            self._cursor.offsets[TopicPartition(topic.name, number)] = offset

    def _begin_again(self, topic: TopicState) -> list[Loss]:
        old = {p: o for p, o in self._cursor.offsets.items() if p.topic == topic.name}
        for place in old:
            del self._cursor.offsets[place]
        for number in range(len(topic.partitions)):
            self._cursor.offsets[TopicPartition(topic.name, number)] = 0
        return [Loss(p.topic, p.partition, o, o - 1, "epoch", topic.epoch) for p, o in old.items()]

    def _poll(self, follower: Follower, log: EventLog, look_again_at: float | None) -> None:
        next_lag = 0.0
        while not self._stopping.is_set():
            batch = follower.poll(POLL_SECONDS)
            now = time.monotonic()
            if batch.records or batch.losses:
                self._advance(batch)
                self._hand_over(batch)
                last = batch.records[-1].timestamp_ms if batch.records else self.state.last_timestamp_ms
                self._note(last_record=now, last_timestamp_ms=last)
            if now >= next_lag:
                next_lag = now + 0.5
                self._note(last_poll=now, lag_records=follower.lag() + self._waiting_records)
            if look_again_at is not None and now >= look_again_at:
                return

    def _advance(self, batch: Batch) -> None:
        offsets = self._cursor.offsets
        for loss in batch.losses:
            place = TopicPartition(loss.topic, loss.partition)
            offsets[place] = 0 if loss.reason == "epoch" else loss.last + 1
            self._cursor.epochs[loss.topic] = loss.epoch
        for record in batch.records:
            offsets[TopicPartition(record.topic, record.partition)] = record.offset + 1

    def _hand_over(self, batch: Batch) -> None:
        with self._taken:
            while self._waiting_records > MAX_WAITING_RECORDS and not self._stopping.is_set():
                self._taken.wait(0.5)
            first = not self._waiting
            self._waiting.append(batch)
            self._waiting_records += len(batch.records)
        if first:
            self._loop.call_soon_threadsafe(self._take)

    def _note(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]


def _nothing() -> None:
    pass
