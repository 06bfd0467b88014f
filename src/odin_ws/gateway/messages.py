"""What clients may say, parsed strictly or refused with a sentence that names what is right.

In: bytes. Out: an `Envelope` and the data of each message type, or a `Refusal`, which the session turns
into an `error` frame. What a message does is protocol.py's business.
"""

from typing import Literal, NamedTuple, TypeVar

import msgspec

from odin_ws.catalogue import is_channel_name, is_channel_pattern

T = TypeVar("T")

MAX_ID_LENGTH = 128
#: How much of a client's own text an error repeats.
QUOTED_LENGTH = 64


class Envelope(msgspec.Struct):
    """What every client message looks like; unknown members are ignored."""

    type: str
    data: msgspec.Raw = msgspec.Raw()
    id: str | int | None = None


class Subscribe(NamedTuple):
    """A `subscribe`: channels without repetition, and for some how many events of memory are wanted."""

    channels: list[str]
    last: dict[str, int]


class Refusal(Exception):
    """A message that cannot be done; becomes an `error` frame with this code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_envelope(message: bytes) -> Envelope:
    """The outer object of a message. Raises Refusal bad_json or bad_message."""
    envelope = _parse(_envelope, message, "bad_message", _ENVELOPE_HELP)
    if isinstance(envelope.id, str) and len(envelope.id) > MAX_ID_LENGTH:
        raise Refusal("bad_message", f"id must be at most {MAX_ID_LENGTH} characters")
    return envelope


def parse_subscribe(raw: msgspec.Raw) -> Subscribe:
    """Data of `subscribe`. Raises Refusal bad_request, bad_channel or unsupported."""
    data = _parse(_subscribe, _present(raw, _SUBSCRIBE_HELP), "bad_request", _SUBSCRIBE_HELP)
    channels = _checked_names(data.channels)
    if bytes(data.policy):
        _parse(_policy, data.policy, "unsupported", 'policy must be "all"')
    return Subscribe(channels, {name: _last_of(name, raw, channels) for name, raw in data.from_.items()})


def parse_unsubscribe(raw: msgspec.Raw) -> list[str]:
    """Data of `unsubscribe`: channels without repetition. Raises Refusal bad_request, bad_channel."""
    data = _parse(_unsubscribe, _present(raw, _UNSUBSCRIBE_HELP), "bad_request", _UNSUBSCRIBE_HELP)
    return _checked_names(data.channels)


def parse_heartbeat(raw: msgspec.Raw) -> bool:
    """Data of `heartbeat`: whether the state of each channel is asked for. Raises Refusal bad_request."""
    return bool(bytes(raw)) and _parse(_heartbeat, raw, "bad_request", _HEARTBEAT_HELP).channels


class _SubscribeData(msgspec.Struct):
    channels: list[str]
    from_: dict[str, msgspec.Raw] = msgspec.field(name="from", default_factory=dict)
    policy: msgspec.Raw = msgspec.Raw()


class _UnsubscribeData(msgspec.Struct):
    channels: list[str]


class _HeartbeatData(msgspec.Struct):
    channels: bool = False


class _LastEvents(msgspec.Struct, forbid_unknown_fields=True):
    last: int


_envelope = msgspec.json.Decoder(Envelope)
_subscribe = msgspec.json.Decoder(_SubscribeData)
_unsubscribe = msgspec.json.Decoder(_UnsubscribeData)
_heartbeat = msgspec.json.Decoder(_HeartbeatData)
_last = msgspec.json.Decoder(_LastEvents)
_policy = msgspec.json.Decoder(Literal["all"])

_ENVELOPE_HELP = (
    'a message is a JSON object like {"type":"subscribe","data":{"channels":["BTC.trade"]},"id":1}'
)
_SUBSCRIBE_HELP = (
    'data must be like {"channels":["BTC.trade"],"from":{"BTC.trade":{"last":10}},"policy":"all"}'
)
_UNSUBSCRIBE_HELP = 'data must be like {"channels":["BTC.trade"]}'
_HEARTBEAT_HELP = 'data may be left out, or be like {"channels":true}'
_LAST_HELP = 'from must be like {"BTC.trade":{"last":10}}'


def _parse(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, code: str, help_text: str) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Refusal(code, f"{error}; {help_text}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("bad_json", f"not valid JSON: {error}; {help_text}") from None


def _present(raw: msgspec.Raw, help_text: str) -> msgspec.Raw:
    if not bytes(raw):
        raise Refusal("bad_request", f"data is missing; {help_text}")
    return raw


def _checked_names(names: list[str]) -> list[str]:
    if not names:
        raise Refusal("bad_request", 'channels must name at least one, like ["BTC.trade"]')
    for name in names:
        if not is_channel_name(name) and not is_channel_pattern(name):
            raise Refusal(
                "bad_channel",
                f"{_quoted(name)} is no channel name; it is <key>.<suffix>, like BTC.trade, of letters, "
                "digits, _ - ~ and %XX for other bytes, or a pattern like BTC.* or *.trade",
            )
    return list(dict.fromkeys(names))


def _last_of(name: str, raw: msgspec.Raw, channels: list[str]) -> int:
    if name not in channels:
        raise Refusal("bad_request", f"from names {_quoted(name)}, which is not among channels")
    count = _parse(_last, raw, "unsupported", _LAST_HELP).last
    if count < 1:
        raise Refusal("bad_request", f"last must be at least 1, not {count}")
    return count


def _quoted(text: str) -> str:
    return repr(text[:QUOTED_LENGTH])
