"""A fake of the event log's port in memory, which fails when told to."""

import threading
from collections.abc import Sequence

from odin_ws.catalogue import TOPICS
from odin_ws.eventlog.base import Appended, Draft, EventLog, LogUnavailable, UnknownTopic
from support import wait_until


class FakeLog:
    """Keeps what was appended. `failing` makes every call fail; it may be used by several threads."""

    title = "fake log"

    def __init__(self) -> None:
        self.batches: list[list[Draft]] = []
        self.failing = False
        self.tries = 0
        self.pings = 0
        self.opened = 0
        self.closed = 0
        self.topics = {topic.name for topic in TOPICS}
        self.gate = threading.Event()
        self.gate.set()

    @property
    def drafts(self) -> list[Draft]:
        return [draft for batch in list(self.batches) for draft in batch]

    def open(self) -> EventLog:
        if self.failing:
            raise LogUnavailable("the fake log is down")
        self.opened += 1
        return self  # type: ignore[return-value]

    def ping(self) -> None:
        self.pings += 1
        if self.failing:
            raise LogUnavailable("the fake log is down")

    def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        self.tries += 1
        self.gate.wait()
        if self.failing:
            raise LogUnavailable("the fake log is down")
        for draft in drafts:
            if draft.topic not in self.topics:
                raise UnknownTopic(draft.topic, self.topics)
        self.batches.append(list(drafts))
        return [Appended(draft.topic, 0, offset) for offset, draft in enumerate(drafts)]

    def close(self) -> None:
        self.closed += 1

    def wait_for(self, count: int) -> list[Draft]:
        """At least `count` drafts, as soon as they are there."""
        wait_until(lambda: sum(map(len, list(self.batches))) >= count, f"{count} drafts in the log")
        return self.drafts
