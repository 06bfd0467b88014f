"""The event log's port: what every engine promises, and the words it speaks.

Records go in by `append` and come out by a `Follower` (from given offsets onwards, as they arrive) or by
`read` (a bounded range). All calls block and belong in a thread of their own; one `EventLog` object may
be used by one thread at a time, and each process or thread opens its own.

Guarantees, held by tests/contract for every engine:
  1. Offsets of a partition start at 0 for a fresh topic, grow by one, and are never reused in an epoch.
  2. The records of one append to one partition keep their order and are visible together or not at all.
  3. An append that returned is not lost when any process is killed.
  4. A follower gets every record of its partitions exactly once and in offset order, or a `Loss` that
     says which offsets will not come and why.
  5. A topic that is deleted and created again has a new epoch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from odin_ws.catalogue import Topic
from odin_ws.errors import ExitCode, OdinError


class Record(NamedTuple):
    """What the log stores. `timestamp_ms` is Unix time in milliseconds; `key` None means no key."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes


class Draft(NamedTuple):
    """A record on its way in: the log adds partition (by key), offset and, when None, the timestamp."""

    topic: str
    key: bytes | None
    value: bytes
    timestamp_ms: int | None = None


class TopicPartition(NamedTuple):
    """Address of one partition."""

    topic: str
    partition: int


class Loss(NamedTuple):
    """Offsets `first` to `last` (both included) of a partition that a follower will not get.

    `expired`: removed by retention before they were read. `epoch`: the topic was deleted and created
    again; `epoch` is the identity of the new one, `first`/`last` are of the old one and `last` may be
    `first - 1` when nothing is known to be missing.
    """

    topic: str
    partition: int
    first: int
    last: int
    reason: Literal["expired", "epoch"]
    epoch: str


class Batch(NamedTuple):
    """What one poll brought: losses first, then records, per partition in offset order."""

    records: list[Record]
    losses: list[Loss]


@dataclass(frozen=True)
class PartitionState:
    """Offsets of a partition: the earliest retained one, and the next to be written (`end`)."""

    earliest: int
    end: int


@dataclass(frozen=True)
class TopicState:
    """A topic as the log knows it. `epoch` is short, ASCII and holds no dot."""

    name: str
    epoch: str
    retention_seconds: float
    partitions: tuple[PartitionState, ...]


@dataclass(frozen=True)
class Appended:
    """Where a draft went."""

    topic: str
    partition: int
    offset: int


class Follower(Protocol):
    """A cursor over partitions; belongs to the thread that polls it."""

    def poll(self, timeout_seconds: float, max_records: int = 2000) -> Batch:
        """Wait up to `timeout_seconds` for the first record, then take what is there, at most `max_records`.

        Raises LogUnavailable when the log cannot be read now; a later poll goes on where this one stood.
        """
        ...

    def lag(self) -> int:
        """How many records are in the log that this follower has not yet returned."""
        ...

    def close(self) -> None:
        """Release it; idempotent."""
        ...


class EventLog(Protocol):
    """An open event log."""

    #: How people know it, e.g. "embedded log (SQLite)".
    title: str

    def ping(self) -> None:
        """Prove that the log can be read and written now; raises LogUnavailable."""
        ...

    def create_topics(self, topics: Iterable[Topic]) -> list[str]:
        """Create the topics that do not exist, set retention of those that do; returns names created.

        Raises TopicMismatch when an existing topic has another number of partitions.
        """
        ...

    def delete_topics(self, names: Iterable[str]) -> list[str]:
        """Delete topics with their records; unknown names are ignored; returns names deleted."""
        ...

    def describe(self) -> dict[str, TopicState]:
        """All topics by name."""
        ...

    def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        """Write drafts, all or none, and return their places in the same order.

        Raises UnknownTopic, LogFull or LogUnavailable, after which nothing of the batch is in the log.
        """
        ...

    def follow(self, starts: Mapping[TopicPartition, int]) -> Follower:
        """Follow partitions, each from the given offset (the next record wanted)."""
        ...

    def read(self, topic: str, partition: int, start: int, max_records: int) -> list[Record]:
        """Records of one partition with offset >= `start`, oldest first, at most `max_records`."""
        ...

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """The first offset whose record is not older than `timestamp_ms`; the end offset when none is."""
        ...

    def enforce_retention(self) -> int:
        """Remove what retention no longer keeps; returns the count, 0 for a broker that does so itself."""
        ...

    def close(self) -> None:
        """Release files and connections; idempotent."""
        ...


class LogError(OdinError):
    """Base of what an event log raises."""


class LogUnavailable(LogError):
    """The log cannot be reached, read or written at the moment; trying again may help."""


class LogFull(LogError):
    """No space is left for the log; nothing of the batch was written."""


class UnknownTopic(LogError):
    """A draft or a reader names a topic that does not exist."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        topics = ", ".join(sorted(known)) or "none"
        super().__init__(
            f"topic {name!r} does not exist; the log has: {topics}",
            remedy="add it to odin.toml and run: ./task local:deploy:setup",
            exit_code=ExitCode.USAGE,
        )


class TopicMismatch(LogError):
    """A topic exists with another number of partitions than asked for."""
