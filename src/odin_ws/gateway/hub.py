"""The hub: records in, frames to the outboxes of their channels' subscribers. No sockets, no clock.

`publish` encodes each record once; `flush` joins what is pending once a channel and writes once an
outbox. Channels come to be when a record or a subscriber names them and keep their last events in memory.
The price list of a tick: a few microseconds a record, a fraction of one a (outbox, channel) pair, one
write an outbox.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from odin_ws.catalogue import Topic, is_channel_pattern
from odin_ws.eventlog.base import Loss, Record
from odin_ws.gateway.channel import Channel, payload_of, position_of
from odin_ws.gateway.frames import json_frame
from odin_ws.gateway.outbox import Outbox

_NO_EPOCH = b"0"


Audience = dict[Outbox, Callable[[bytes], None]]


class Joined(NamedTuple):
    """What a subscribe brought: for each channel the number of events, and their frames."""

    recovered: dict[str, int]
    frames: list[bytes]


class Counts:
    """What the hub has done since it began; read by the metrics."""

    __slots__ = ("deliveries", "deliveries_bytes", "gaps", "not_json", "records", "unmapped", "writes")

    def __init__(self) -> None:
        self.records = 0
        self.deliveries = 0
        self.deliveries_bytes = 0
        self.writes = 0
        self.not_json = 0
        self.unmapped = 0
        self.gaps = 0


class Hub:
    """All channels and who subscribes to them."""

    def __init__(
        self,
        topics: Iterable[Topic],
        *,
        ring_records: int,
        ring_bytes: int,
        max_channels: int,
    ) -> None:
        self.channels: dict[str, Channel] = {}
        self.counts = Counts()
        self._topics = {topic.name: topic for topic in topics}
        self._routes: dict[tuple[str, bytes | None], Channel] = {}
        self._epochs: dict[str, bytes] = {}
        self._dirty: list[Channel] = []
        self._patterns: dict[str, Audience] = {}
        self._ring_records = ring_records
        self._ring_bytes = ring_bytes
        self._max_channels = max_channels

    # Records in

    def set_epoch(self, topic: str, epoch: str) -> None:
        """Positions of `topic` belong to `epoch` from now on."""
        self._epochs[topic] = epoch.encode()

    def publish(self, records: Sequence[Record]) -> None:
        """Turn records into events of their channels; they wait for `flush`."""
        counts = self.counts
        for record in records:
            channel = self._routes.get((record.topic, record.key)) or self._route(record)
            if channel is None:
                counts.unmapped += 1
                continue
            payload, was_json = payload_of(record.value)
            if not was_json:
                counts.not_json += 1
            position = position_of(self._epochs.get(record.topic, _NO_EPOCH), record)
            event = channel.advance(position, record.timestamp_ms, payload)
            if self._ring_records:
                channel.remember(event, self._ring_records, self._ring_bytes)
            if channel.outboxes or self._is_matched(channel):
                if not channel.pending:
                    self._dirty.append(channel)
                channel.pending.append(channel.frame(event))
        counts.records += len(records)

    def lose(self, loss: Loss) -> None:
        """Tell the subscribers of a partition's channels that some offsets are not coming.

        The gap ends at a position `to`, which is the next event's `prev`; events in memory from before
        an epoch's end are forgotten.
        """
        if loss.reason == "epoch":
            self.set_epoch(loss.topic, loss.epoch)
        last = 0 if loss.reason == "epoch" else loss.last
        end = b"%b.%d.%d" % (loss.epoch.encode(), loss.partition, last)
        for channel in self.channels.values():
            if channel.topic == loss.topic and channel.partition == loss.partition and channel.position:
                self._gap(channel, end, loss.reason)

    def flush(self) -> None:
        """Write everything pending: one join a channel, one write an outbox."""
        dirty, self._dirty = self._dirty, []
        if len(dirty) == 1:
            self._flush_one(dirty[0])
        elif dirty:
            self._flush_many(dirty)

    # Sessions in and out

    def subscribe(self, outbox: Outbox, names: Sequence[str], last: dict[str, int]) -> Joined:
        """Add an outbox to channels or patterns; `last` asks for events in memory of some of them.

        A channel that already reaches the outbox, by its name or by a pattern, brings no events in memory.
        The frames returned must be written to the outbox before anything is published again.
        """
        self.flush()
        joined = Joined({}, [])
        for name in names:
            if name in last:
                self._recall(outbox, name, last[name], joined)
            if is_channel_pattern(name):
                self._patterns.setdefault(name, {})[outbox] = outbox.write
            else:
                channel = self.channels.get(name) or self._new_channel(name, "", -1)
                channel.outboxes[outbox] = outbox.write
        return joined

    def unsubscribe(self, outbox: Outbox, names: Iterable[str]) -> None:
        """Take an outbox out of channels and patterns; it has got all that was published before."""
        self.flush()
        for name in names:
            if name in self._patterns:
                self._patterns[name].pop(outbox, None)
                if not self._patterns[name]:
                    del self._patterns[name]
            elif (channel := self.channels.get(name)) is not None and outbox in channel.outboxes:
                del channel.outboxes[outbox]
                self._drop_if_empty(channel)

    def remembered_bytes(self, name: str, count: int) -> int:
        """Bytes of payload that the last `count` events in memory of each channel of a name have."""
        return sum(channel.remembered_bytes(count) for channel in self._named(name))

    def position(self, name: str) -> str | None:
        """Position of a channel's last event, None where there was none."""
        channel = self.channels.get(name)
        return channel.position.decode() if channel and channel.position else None

    def last_timestamp_ms(self, name: str) -> int | None:
        """Timestamp of a channel's last event, None where there was none."""
        channel = self.channels.get(name)
        return channel.last_timestamp_ms if channel and channel.position else None

    # Below: how

    def _flush_one(self, channel: Channel) -> None:
        audience = self._audience(channel)
        blob = self._join(channel, len(audience))
        for write in audience.values():
            write(blob)
        self.counts.writes += len(audience)

    def _flush_many(self, dirty: list[Channel]) -> None:
        touched: list[Outbox] = []
        for channel in dirty:
            audience = self._audience(channel)
            blob = self._join(channel, len(audience))
            touched += [outbox for outbox in audience if outbox.collect(blob)]
        for outbox in touched:
            outbox.flush()
        self.counts.writes += len(touched)

    def _is_matched(self, channel: Channel) -> bool:
        return bool(self._patterns) and any(pattern in self._patterns for pattern in channel.patterns)

    def _audience(self, channel: Channel) -> Audience:
        """Who gets the channel's events, each once; a new mapping only where names and patterns overlap."""
        groups = [channel.outboxes] if channel.outboxes else []
        if self._patterns:
            groups += [self._patterns[p] for p in channel.patterns if p in self._patterns]
        if len(groups) == 1:
            return groups[0]
        return {outbox: write for group in groups for outbox, write in group.items()}

    def _named(self, name: str) -> list[Channel]:
        """The channel of an exact name, or all that match a pattern; none where there is none."""
        if is_channel_pattern(name):
            return [channel for channel in self.channels.values() if name in channel.patterns]
        return [self.channels[name]] if name in self.channels else []

    def _recall(self, outbox: Outbox, name: str, count: int, joined: Joined) -> None:
        if not is_channel_pattern(name):
            joined.recovered[name] = 0
        for channel in self._named(name):
            if outbox not in self._audience(channel):
                frames = channel.last_frames(count)
                joined.recovered[channel.name] = len(frames)
                joined.frames.extend(frames)

    def _join(self, channel: Channel, subscribers: int) -> bytes:
        pending, channel.pending = channel.pending, []
        blob = pending[0] if len(pending) == 1 else b"".join(pending)
        self.counts.deliveries += len(pending) * subscribers
        self.counts.deliveries_bytes += len(blob) * subscribers
        return blob

    def _route(self, record: Record) -> Channel | None:
        topic = self._topics.get(record.topic)
        if topic is None:
            return None
        name = topic.channel_for(record.key)
        channel = self.channels.get(name) or self._new_channel(name, record.topic, record.partition)
        channel.topic, channel.partition = record.topic, record.partition
        if len(self._routes) > 2 * self._max_channels:
            self._routes.clear()
        self._routes[record.topic, record.key] = channel
        return channel

    def _new_channel(self, name: str, topic: str, partition: int) -> Channel:
        if len(self.channels) >= self._max_channels:
            self._forget_the_silent()
        channel = self.channels[name] = Channel(name, topic, partition)
        return channel

    def _forget_the_silent(self) -> None:
        """Make room: drop the tenth of channels without subscribers that were silent for longest."""
        silent = (c for c in self.channels.values() if not c.outboxes and not self._is_matched(c))
        idle = sorted(silent, key=lambda c: c.last_timestamp_ms)
        for channel in idle[: max(1, self._max_channels // 10)]:
            del self.channels[channel.name]
        self._routes.clear()

    def _drop_if_empty(self, channel: Channel) -> None:
        if channel.position is None and not channel.outboxes:
            self.channels.pop(channel.name, None)

    def _gap(self, channel: Channel, end: bytes, reason: str) -> None:
        assert channel.position is not None
        message = {
            "type": "gap",
            "channel": channel.name,
            "from": channel.position.decode(),
            "to": end.decode(),
            "reason": reason,
        }
        channel.position = end
        channel.forget()
        self.counts.gaps += 1
        if channel.outboxes or self._is_matched(channel):
            if not channel.pending:
                self._dirty.append(channel)
            channel.pending.append(json_frame(message))
