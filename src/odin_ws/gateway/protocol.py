"""One client's session, pure: a message and the time in; frames, or a reason to close, out.

It knows the wire protocol (docs/protocol.md), the session's channels and its limits; it speaks to the hub,
which is pure too. It opens no socket and reads no clock. Every message gets exactly one answer, an error
names what was wrong and what is right, and a refused message changes nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from odin_ws.gateway.bucket import Bucket
from odin_ws.gateway.closing import Closing
from odin_ws.gateway.frames import json_frame, text_frame
from odin_ws.gateway.hub import Hub
from odin_ws.gateway.messages import (
    QUOTED_LENGTH,
    Envelope,
    Refusal,
    parse_envelope,
    parse_heartbeat,
    parse_subscribe,
    parse_unsubscribe,
)
from odin_ws.gateway.outbox import Outbox
from odin_ws.settings import GatewaySettings

PROTOCOL_VERSION = 1
#: One error is forgiven each so many seconds, so that only a client that keeps failing is closed.
ERROR_FORGIVEN_SECONDS = 30.0


class Answer(NamedTuple):
    """What to write, in order, and why to close afterwards (None: stay)."""

    frames: list[bytes]
    closing: Closing | None = None


class Session:
    """The protocol state of one client; `now` is in seconds of any steady clock, `now_ms` Unix time."""

    __slots__ = ("_errors", "_hub", "_limits", "_messages", "_outbox", "channels")

    def __init__(self, hub: Hub, outbox: Outbox, limits: GatewaySettings) -> None:
        self._hub = hub
        self._outbox = outbox
        self._limits = limits
        self.channels: dict[str, None] = {}
        self._messages: Bucket | None = None
        self._errors: Bucket | None = None

    def receive(self, message: bytes, now: float, now_ms: int) -> Answer:
        """Answer one text message.

        Args:
            message: its bytes, not yet known to be UTF-8 or JSON.
            now: steady clock, seconds.
            now_ms: Unix time, milliseconds.
        """
        try:
            message.decode()
        except UnicodeDecodeError:
            return Answer([], Closing.BAD_UTF8)
        envelope: Envelope | None = None
        try:
            self._admit(now)
            envelope = parse_envelope(message)
            handle = _HANDLERS.get(envelope.type)
            if handle is None:
                kind = envelope.type[:QUOTED_LENGTH]
                raise Refusal("unknown_type", f"unknown type {kind!r}; known: {', '.join(_HANDLERS)}")
            return Answer(handle(self, envelope, now_ms))
        except Refusal as refusal:
            return self._refuse(refusal, envelope, now)

    def leave(self) -> None:
        """The connection is gone: give all channels back."""
        self._hub.unsubscribe(self._outbox, self.channels)
        self.channels = {}

    def _admit(self, now: float) -> None:
        limits = self._limits
        if not limits.max_messages_per_second:
            return
        if self._messages is None:
            self._messages = Bucket(limits.message_burst, limits.max_messages_per_second, now)
        if not self._messages.take(now):
            raise Refusal(
                "rate_limited",
                f"more than {limits.max_messages_per_second:g} messages/s (burst {limits.message_burst}); "
                "send fewer, many channels fit in one subscribe",
            )

    def _refuse(self, refusal: Refusal, envelope: Envelope | None, now: float) -> Answer:
        frame = _answer(envelope, type="error", code=refusal.code, message=refusal.message)
        if not self._limits.max_errors:
            return Answer([frame])
        if self._errors is None:
            self._errors = Bucket(self._limits.max_errors, 1 / ERROR_FORGIVEN_SECONDS, now)
        return Answer([frame], None if self._errors.take(now) else Closing.ABUSE)

    # One method a message type

    def _on_subscribe(self, envelope: Envelope, now_ms: int) -> list[bytes]:
        names, last = parse_subscribe(envelope.data)
        new = [name for name in names if name not in self.channels]
        self._check_count(new)
        self._check_size(last)
        joined = self._hub.subscribe(self._outbox, new, last)
        self.channels.update(dict.fromkeys(new))
        recovered = {"recovered": joined.recovered} if last else {}
        count = len(self.channels)
        ack = _answer(envelope, type="subscription_ack", subscribed=names, count=count, **recovered)
        return [ack, *joined.frames]

    def _check_count(self, new: list[str]) -> None:
        held = len(self.channels) + len(new)
        limit = self._limits.max_channels_per_session
        if held > limit:
            raise Refusal(
                "too_many_channels",
                f"a session holds at most {limit} channels; it has {len(self.channels)}, "
                f"{len(new)} more were asked for",
            )
        if any("*" in name for name in new):
            self._check_patterns(sum("*" in name for name in (*self.channels, *new)))

    def _check_patterns(self, count: int) -> None:
        limit = self._limits.max_patterns_per_session
        if count > limit:
            raise Refusal(
                "too_many_patterns", f"a session holds at most {limit} patterns, this would make {count}"
            )

    def _check_size(self, last: dict[str, int]) -> None:
        size = sum(self._hub.remembered_bytes(name, count) for name, count in last.items())
        limit = self._limits.max_queued_bytes // 2
        if size > limit:
            raise Refusal(
                "too_large",
                f"from asks for {size} bytes, at most {limit} are sent at once; "
                "ask for fewer events or channels a message",
            )

    def _on_unsubscribe(self, envelope: Envelope, now_ms: int) -> list[bytes]:
        names = parse_unsubscribe(envelope.data)
        held = [name for name in names if name in self.channels]
        self._hub.unsubscribe(self._outbox, held)
        for name in held:
            del self.channels[name]
        count = len(self.channels)
        return [_answer(envelope, type="unsubscription_ack", unsubscribed=names, count=count)]

    def _on_list(self, envelope: Envelope, now_ms: int) -> list[bytes]:
        held = {name: {"policy": "all", "pos": self._hub.position(name)} for name in self.channels}
        return [_answer(envelope, type="subscriptions", channels=held)]

    def _on_heartbeat(self, envelope: Envelope, now_ms: int) -> list[bytes]:
        if envelope.id is None and not bytes(envelope.data):
            return [text_frame(b'{"type":"pong","ts":%d}' % now_ms)]
        if not parse_heartbeat(envelope.data):
            return [_answer(envelope, type="pong", ts=now_ms)]
        states = {name: self._state_of(name, now_ms) for name in self.channels}
        return [_answer(envelope, type="pong", ts=now_ms, channels=states)]

    def _state_of(self, name: str, now_ms: int) -> dict[str, Any]:
        last_ms = self._hub.last_timestamp_ms(name)
        age_ms = None if last_ms is None else max(0, now_ms - last_ms)
        return {"pos": self._hub.position(name), "age_ms": age_ms}


_Handler = Callable[[Session, Envelope, int], list[bytes]]
_HANDLERS: dict[str, _Handler] = {
    "subscribe": Session._on_subscribe,
    "unsubscribe": Session._on_unsubscribe,
    "list": Session._on_list,
    "heartbeat": Session._on_heartbeat,
}


def welcome_frame(server_id: str, limits: GatewaySettings) -> bytes:
    """The first frame of every connection."""
    return json_frame(
        {
            "type": "welcome",
            "protocol": PROTOCOL_VERSION,
            "server": server_id,
            "ping_interval_ms": round(limits.ping_interval_seconds * 1000),
            "limits": {
                "channels": limits.max_channels_per_session,
                "patterns": limits.max_patterns_per_session,
                "message_bytes": limits.max_message_bytes,
                "messages_per_second": limits.max_messages_per_second,
                "queued_bytes": limits.max_queued_bytes,
                "silence_ms": round(limits.silence_timeout_seconds * 1000),
            },
        }
    )


def _answer(envelope: Envelope | None, **message: Any) -> bytes:
    """A message as a frame, with the id of what it answers."""
    if envelope is not None and envelope.id is not None:
        message["id"] = envelope.id
    return json_frame(message)
