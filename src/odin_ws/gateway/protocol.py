"""One client's session, pure: a message and the time in; frames, or a reason to close, out.

It knows the wire protocol (docs/protocol.md), the session's channels and its limits; it speaks to the hub,
which is pure too. It opens no socket and reads no clock. Every message gets exactly one answer, an error
names what was wrong and what is right, and a refused message changes nothing.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from odin_ws.catalogue import is_channel_name
from odin_ws.gateway.closing import Closing
from odin_ws.gateway.frames import json_frame, text_frame
from odin_ws.gateway.hub import Hub
from odin_ws.gateway.outbox import Outbox
from odin_ws.settings import GatewaySettings

T = TypeVar("T")

PROTOCOL_VERSION = 1
#: One error is forgiven each so many seconds, so that only a client that keeps failing is closed.
ERROR_FORGIVEN_SECONDS = 30.0
MAX_ID_LENGTH = 128


class Envelope(msgspec.Struct):
    """What every client message looks like; unknown members are ignored."""

    type: str
    data: msgspec.Raw = msgspec.Raw()
    id: str | int | None = None


class LastEvents(msgspec.Struct, forbid_unknown_fields=True):
    """`{"last": n}`: the n newest events in the gateway's memory."""

    last: int


class SubscribeData(msgspec.Struct):
    """Data of `subscribe`."""

    channels: list[str]
    from_: dict[str, msgspec.Raw] = msgspec.field(name="from", default_factory=dict)
    policy: msgspec.Raw = msgspec.Raw()


class UnsubscribeData(msgspec.Struct):
    """Data of `unsubscribe`."""

    channels: list[str]


class HeartbeatData(msgspec.Struct):
    """Data of `heartbeat`, all optional: `channels` asks for position and age of each channel held."""

    channels: bool = False


class Answer(NamedTuple):
    """What to write, in order, and why to close afterwards (None: stay)."""

    frames: list[bytes]
    closing: Closing | None = None


class Refusal(Exception):
    """A message that cannot be done; becomes an `error` frame."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Bucket:
    """A token bucket: `capacity` at once, `per_second` sustained; per_second 0 never refills."""

    __slots__ = ("_at", "_capacity", "_level", "_per_second")

    def __init__(self, capacity: float, per_second: float, now: float) -> None:
        self._capacity = self._level = capacity
        self._per_second = per_second
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token; False when there is none."""
        elapsed = max(0.0, now - self._at)
        self._level = min(self._capacity, self._level + elapsed * self._per_second)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


_envelope = msgspec.json.Decoder(Envelope)
_subscribe = msgspec.json.Decoder(SubscribeData)
_unsubscribe = msgspec.json.Decoder(UnsubscribeData)
_heartbeat = msgspec.json.Decoder(HeartbeatData)
_last = msgspec.json.Decoder(LastEvents)
_policy = msgspec.json.Decoder(Literal["all"])


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
        ident: str | int | None = None
        try:
            self._admit(now)
            envelope = _parse(_envelope, message, "bad_message", _ENVELOPE_HELP)
            ident = _check_id(envelope.id)
            handle = _HANDLERS.get(envelope.type)
            if handle is None:
                raise Refusal(
                    "unknown_type", f"unknown type {envelope.type[:64]!r}; known: {', '.join(_HANDLERS)}"
                )
            return Answer(handle(self, envelope.data, ident, now_ms))
        except Refusal as refusal:
            return self._refuse(refusal, ident, now)

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

    def _refuse(self, refusal: Refusal, ident: str | int | None, now: float) -> Answer:
        error = {"type": "error", "code": refusal.code, "message": refusal.message}
        frame = json_frame(_with_id(error, ident))
        if not self._limits.max_errors:
            return Answer([frame])
        if self._errors is None:
            self._errors = Bucket(self._limits.max_errors, 1 / ERROR_FORGIVEN_SECONDS, now)
        return Answer([frame], None if self._errors.take(now) else Closing.ABUSE)

    # One method a message type

    def _on_subscribe(self, raw: msgspec.Raw, ident: str | int | None, now_ms: int) -> list[bytes]:
        data = _parse(_subscribe, raw, "bad_request", _SUBSCRIBE_HELP)
        _check_names(data.channels)
        if bytes(data.policy):
            _parse(_policy, data.policy, "unsupported", 'policy must be "all"')
        last = _last_events(data)
        names = list(dict.fromkeys(data.channels))
        new = [name for name in names if name not in self.channels]
        limit = self._limits.max_channels_per_session
        if len(self.channels) + len(new) > limit:
            raise Refusal(
                "too_many_channels",
                f"a session holds at most {limit} channels; it has {len(self.channels)}, {len(new)} asked",
            )
        self._check_size(last)
        joined = self._hub.subscribe(self._outbox, new, last)
        self.channels.update(dict.fromkeys(new))
        return self._ack(names, last, joined.recovered, ident) + joined.frames

    def _check_size(self, last: dict[str, int]) -> None:
        size = sum(self._hub.remembered_bytes(name, count) for name, count in last.items())
        if size > self._limits.max_queued_bytes // 2:
            raise Refusal(
                "too_large",
                f"from asks for {size} bytes, at most {self._limits.max_queued_bytes // 2} are sent at once; "
                "ask for fewer events or channels a message",
            )

    def _ack(
        self, names: list[str], last: dict[str, int], recovered: dict[str, int], ident: str | int | None
    ) -> list[bytes]:
        ack: dict[str, Any] = {"type": "subscription_ack", "subscribed": names, "count": len(self.channels)}
        if last:
            ack["recovered"] = recovered
        return [json_frame(_with_id(ack, ident))]

    def _on_unsubscribe(self, raw: msgspec.Raw, ident: str | int | None, now_ms: int) -> list[bytes]:
        data = _parse(_unsubscribe, raw, "bad_request", _UNSUBSCRIBE_HELP)
        _check_names(data.channels)
        names = list(dict.fromkeys(data.channels))
        held = [name for name in names if name in self.channels]
        self._hub.unsubscribe(self._outbox, held)
        for name in held:
            del self.channels[name]
        ack = {"type": "unsubscription_ack", "unsubscribed": names, "count": len(self.channels)}
        return [json_frame(_with_id(ack, ident))]

    def _on_list(self, raw: msgspec.Raw, ident: str | int | None, now_ms: int) -> list[bytes]:
        held = {name: {"policy": "all", "pos": self._hub.position(name)} for name in self.channels}
        return [json_frame(_with_id({"type": "subscriptions", "channels": held}, ident))]

    def _on_heartbeat(self, raw: msgspec.Raw, ident: str | int | None, now_ms: int) -> list[bytes]:
        if ident is None and not bytes(raw):
            return [text_frame(b'{"type":"pong","ts":%d}' % now_ms)]
        data = _parse(_heartbeat, raw, "bad_request", _HEARTBEAT_HELP) if bytes(raw) else HeartbeatData()
        pong: dict[str, Any] = {"type": "pong", "ts": now_ms}
        if data.channels:
            pong["channels"] = {name: self._state_of(name, now_ms) for name in self.channels}
        return [json_frame(_with_id(pong, ident))]

    def _state_of(self, name: str, now_ms: int) -> dict[str, Any]:
        last_ms = self._hub.last_timestamp_ms(name)
        age_ms = None if last_ms is None else max(0, now_ms - last_ms)
        return {"pos": self._hub.position(name), "age_ms": age_ms}


_Handler = Callable[[Session, msgspec.Raw, str | int | None, int], list[bytes]]
_HANDLERS: dict[str, _Handler] = {
    "subscribe": Session._on_subscribe,
    "unsubscribe": Session._on_unsubscribe,
    "list": Session._on_list,
    "heartbeat": Session._on_heartbeat,
}

_ENVELOPE_HELP = (
    'a message is a JSON object like {"type":"subscribe","data":{"channels":["BTC.trade"]},"id":1}'
)
_SUBSCRIBE_HELP = (
    'data must be like {"channels":["BTC.trade"],"from":{"BTC.trade":{"last":10}},"policy":"all"}'
)
_UNSUBSCRIBE_HELP = 'data must be like {"channels":["BTC.trade"]}'
_HEARTBEAT_HELP = 'data may be left out, or be like {"channels":true}'


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
                "message_bytes": limits.max_message_bytes,
                "messages_per_second": limits.max_messages_per_second,
                "queued_bytes": limits.max_queued_bytes,
                "silence_ms": round(limits.silence_timeout_seconds * 1000),
            },
        }
    )


def _parse(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, code: str, help_text: str) -> T:
    if isinstance(raw, msgspec.Raw) and not bytes(raw):
        raise Refusal(code, f"data is missing; {help_text}")
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Refusal(code, f"{error}; {help_text}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("bad_json", f"not valid JSON: {error}; {help_text}") from None


def _check_id(ident: str | int | None) -> str | int | None:
    if isinstance(ident, str) and len(ident) > MAX_ID_LENGTH:
        raise Refusal("bad_message", f"id must be at most {MAX_ID_LENGTH} characters")
    return ident


def _check_names(names: list[str]) -> None:
    if not names:
        raise Refusal("bad_request", 'channels must name at least one, like ["BTC.trade"]')
    for name in names:
        if "*" in name:
            raise Refusal("unsupported", f"{name[:64]!r}: wildcards are not supported; name the channels")
        if not is_channel_name(name):
            raise Refusal(
                "bad_channel",
                f"{name[:64]!r} is no channel name; it is <key>.<suffix>, like BTC.trade: "
                "letters, digits, _ - ~ and %XX for other bytes",
            )


def _last_events(data: SubscribeData) -> dict[str, int]:
    last = {}
    for name, raw in data.from_.items():
        if name not in data.channels:
            raise Refusal("bad_request", f"from names {name[:64]!r}, which is not among channels")
        count = _parse(_last, raw, "unsupported", 'from must be like {"BTC.trade":{"last":10}}').last
        if count < 1:
            raise Refusal("bad_request", f"last must be at least 1, not {count}")
        last[name] = count
    return last


def _with_id(message: dict[str, Any], ident: str | int | None) -> dict[str, Any]:
    return message if ident is None else {**message, "id": ident}
