"""Figures on request: topics of the log, records of a topic, addresses, what publisher and gateway count.

Everything here only reads: the event log through its port, services through theirs. Returns data; tables
are the command line's work.
"""

import heapq
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odin_ws.errors import ExitCode, OdinError
from odin_ws.eventlog.base import EventLog, Record, TopicPartition, TopicState, UnknownTopic
from odin_ws.stack import probes
from odin_ws.stack.services import Service
from odin_ws.stack.stack import Stack

#: Rates are measured over so long.
RATE_WINDOW_SECONDS = 1.0
PAGE_RECORDS = 500
#: The gateway's figures that say most, as they are named in /metrics, are those with these endings.
_METRIC = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})?\s+(?P<value>\S+)")


@dataclass(frozen=True)
class TopicFigures:
    """A topic now: retained records are `end` − `earliest`, summed over its partitions."""

    name: str
    partitions: int
    earliest: int
    end: int
    records_per_second: float
    retention_seconds: float
    epoch: str
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Address:
    """Where a service listens; `container_ip` is "-" for a process."""

    service: str
    title: str
    role: str
    address: str
    port: int | None
    container_ip: str
    pid: int | None


def open_existing_log(stack: Stack) -> EventLog:
    """The event log; raises OdinError (NOT_RUNNING) when it was never created."""
    from odin_ws.eventlog import open_log

    if not stack.home.log_file.exists():
        raise OdinError(
            f"there is no event log yet ({stack.home.log_file} does not exist)",
            remedy="./task up",
            exit_code=ExitCode.NOT_RUNNING,
        )
    return open_log(stack.settings, stack.home)


def topic_figures(log: EventLog, window_seconds: float = RATE_WINDOW_SECONDS) -> list[TopicFigures]:
    """All topics with their rates over a window; takes as long as the window."""
    before, began = log.describe(), time.monotonic()
    time.sleep(window_seconds)
    after, seconds = log.describe(), time.monotonic() - began
    return [_figures(before.get(name), state, seconds) for name, state in sorted(after.items())]


def last_records(log: EventLog, topic: str, count: int, key: bytes | None) -> list[Record]:
    """The newest `count` records of a topic (of one key, where given), oldest first."""
    found: list[Record] = []
    for partition, state in enumerate(_topic(log, topic).partitions):
        found.extend(_newest(log, topic, partition, state.earliest, state.end, count, key))
    found.sort(key=_by_time)
    return found[-count:]


def first_records(log: EventLog, topic: str, count: int, key: bytes | None) -> list[Record]:
    """The oldest `count` retained records of a topic (of one key, where given), oldest first."""
    streams = (
        _forwards(log, topic, partition, state.earliest, key)
        for partition, state in enumerate(_topic(log, topic).partitions)
    )
    merged = heapq.merge(*streams, key=_by_time)
    return [record for record, _ in zip(merged, range(count), strict=False)]


def end_offsets(log: EventLog, topic: str) -> dict[TopicPartition, int]:
    """Where the topic ends now; asked before reading, nothing falls between reading and following."""
    return {TopicPartition(topic, n): state.end for n, state in enumerate(_topic(log, topic).partitions)}


def next_records(
    log: EventLog,
    ends: Mapping[TopicPartition, int],
    count: int,
    key: bytes | None,
    read: Iterable[Record],
    timeout_seconds: float,
) -> Iterator[Record]:
    """Up to `count` records from `ends` on and after those already `read`, as they arrive.

    Ends with the time.
    """
    starts = dict(ends)
    for record in read:
        place = TopicPartition(record.topic, record.partition)
        starts[place] = max(starts[place], record.offset + 1)
    follower = log.follow(starts)
    deadline = time.monotonic() + timeout_seconds
    try:
        while count > 0 and (left := deadline - time.monotonic()) > 0:
            for record in follower.poll(min(left, 0.5)).records:
                if count > 0 and (key is None or record.key == key):
                    count -= 1
                    yield record
    finally:
        follower.close()


def addresses(stack: Stack) -> list[Address]:
    """Each service's addresses; a service that listens nowhere is there with its place."""
    observed = stack.driver.observe()
    found: list[Address] = []
    for service in stack.services:
        settings, pid = stack.settings_of(observed[service.name]), observed[service.name].pid
        where = service.where(service, settings, stack.home)
        listening = [
            (endpoint.role, endpoint.host, endpoint.port) for endpoint in service.endpoints(settings)
        ]
        places: Sequence[tuple[str, str, int | None]] = listening or [("file", where, None)]
        found.extend(Address(service.name, service.title, *place, "-", pid) for place in places)
    return found


def ask(stack: Stack, service: Service, path: str) -> probes.Answer:
    """GET a path of a running service; raises OdinError when it does not run or does not answer."""
    observed = stack.driver.observe()[service.name]
    if observed.pid is None:
        raise OdinError(
            f"{service.title} is not running ({observed.state})",
            remedy=f"./task local:start:{service.name}",
            exit_code=ExitCode.NOT_RUNNING,
        )
    endpoint = service.endpoints(stack.settings_of(observed))[0]
    answer = probes.get(endpoint.host, endpoint.port, path, stack.settings.stack.probe_timeout_seconds)
    if answer.status == 0 or answer.status in (404, 405) or (answer.status >= 500 and not answer.json()):
        raise OdinError(
            f"{service.title} does not answer {path}: {answer.body.strip()[:200]}",
            remedy=f"./task local:logs:{service.name}",
            exit_code=ExitCode.UNHEALTHY,
        )
    return answer


def metrics(text: str) -> dict[str, float]:
    """Samples of a Prometheus exposition by name and labels; buckets and creation times are left out."""
    found = {}
    for line in text.splitlines():
        if (match := _METRIC.match(line)) and not re.search(r"_(bucket|created)$", match["name"]):
            labels = f"{{{match['labels']}}}" if match["labels"] else ""
            found[match["name"] + labels] = float(match["value"])
    return found


def flatten(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested document as dotted names, for a table of two columns."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _topic(log: EventLog, name: str) -> TopicState:
    topics = log.describe()
    if name not in topics:
        raise UnknownTopic(name, topics)
    return topics[name]


def _newest(
    log: EventLog, topic: str, partition: int, earliest: int, end: int, count: int, key: bytes | None
) -> list[Record]:
    """Walk backwards page by page until there are enough or nothing older is left."""
    found: list[Record] = []
    while end > earliest and len(found) < count:
        start = max(earliest, end - max(count, PAGE_RECORDS))
        page = log.read(topic, partition, start, end - start)
        found[:0] = [r for r in page if r.offset < end and (key is None or r.key == key)]
        end = start
    return found[-count:]


def _forwards(log: EventLog, topic: str, partition: int, start: int, key: bytes | None) -> Iterator[Record]:
    while page := log.read(topic, partition, start, PAGE_RECORDS):
        yield from (record for record in page if key is None or record.key == key)
        start = page[-1].offset + 1


def _by_time(record: Record) -> tuple[int, int, int]:
    return record.timestamp_ms, record.partition, record.offset


def _figures(before: TopicState | None, after: TopicState, seconds: float) -> TopicFigures:
    end = sum(partition.end for partition in after.partitions)
    same = before is not None and before.epoch == after.epoch
    grown = end - sum(partition.end for partition in before.partitions) if same and before else 0
    return TopicFigures(
        name=after.name,
        partitions=len(after.partitions),
        earliest=sum(partition.earliest for partition in after.partitions),
        end=end,
        records_per_second=round(grown / seconds, 1),
        retention_seconds=after.retention_seconds,
        epoch=after.epoch,
        offsets=tuple((partition.earliest, partition.end) for partition in after.partitions),
    )
