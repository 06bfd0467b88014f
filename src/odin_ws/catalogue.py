"""The platform's facts: its topics, event types with weights, tokens, and how a record finds its channel.

Pure data and pure functions. A user's own topics come from `odin.toml` (see settings.py) as further
`Topic` values; nothing here reads configuration or does I/O.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote_from_bytes

#: A channel name: segments of unreserved or percent-encoded characters, joined by dots; at least two.
CHANNEL_NAME = re.compile(r"(?:[A-Za-z0-9_~-]|%[0-9A-F]{2})+(?:\.(?:[A-Za-z0-9_~-]|%[0-9A-F]{2})+)+")

#: What stands for the key of a record that has none.
NO_KEY = "_"

#: What stands for a key of no bytes.
EMPTY_KEY = "__"

#: What Kafka takes as a topic's name; `.` and `..` are not names.
TOPIC_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}")

DEFAULT_PARTITIONS = 12


@dataclass(frozen=True)
class Topic:
    """A topic and the channels its records go to.

    Args:
        name: the topic's name in the event log.
        channel: template over `{key}` and `{topic}`; the catalogue's own are `{key}.<suffix>`.
        retention_seconds: how long the log keeps a record, by its timestamp.
        partitions: number of partitions; a key always maps to the same one.
    """

    name: str
    channel: str
    retention_seconds: float
    partitions: int = DEFAULT_PARTITIONS

    def channel_for(self, key: bytes | None) -> str:
        """The channel of a record of this topic with `key`."""
        return _fill(self.channel, self.name, key)


@dataclass(frozen=True)
class EventType:
    """One of the simulator's event types and how often it comes, relative to the others."""

    name: str
    topic: str
    weight: float


def _topic(suffix: str, name: str, retention_seconds: float) -> Topic:
    return Topic(name=f"odin.{name}", channel="{key}." + suffix, retention_seconds=retention_seconds)


TOPICS: tuple[Topic, ...] = (
    _topic("trade", "trades", 30),
    _topic("liquidity", "liquidity", 60),
    _topic("balances", "balances", 30),
    _topic("metadata", "metadata", 3600),
    _topic("social", "social", 3600),
    _topic("community", "community", 300),
    _topic("creation", "creation", 3600),
    _topic("analytics", "analytics", 300),
)

EVENT_TYPES: tuple[EventType, ...] = (
    EventType("TRADE_EXECUTED", "odin.trades", 20),
    EventType("BUY_COMPLETED", "odin.trades", 15),
    EventType("SELL_COMPLETED", "odin.trades", 15),
    EventType("LIQUIDITY_ADDED", "odin.liquidity", 8),
    EventType("LIQUIDITY_REMOVED", "odin.liquidity", 8),
    EventType("LIQUIDITY_REBALANCED", "odin.liquidity", 0.1),
    EventType("BALANCE_UPDATED", "odin.balances", 3),
    EventType("TRANSFER_COMPLETED", "odin.balances", 0.1),
    EventType("METADATA_UPDATED", "odin.metadata", 5),
    EventType("TOKEN_NAME_CHANGED", "odin.metadata", 0.3),
    EventType("TOKEN_FLAGS_CHANGED", "odin.metadata", 0.3),
    EventType("SOCIAL_LINKS_UPDATED", "odin.social", 1),
    EventType("TWITTER_VERIFIED", "odin.social", 0.2),
    EventType("COMMENT_POSTED", "odin.community", 5),
    EventType("COMMENT_UPVOTED", "odin.community", 1),
    EventType("COMMENT_PINNED", "odin.community", 0.2),
    EventType("FAVORITE_TOGGLED", "odin.community", 2),
    EventType("TOKEN_CREATED", "odin.creation", 0.5),
    EventType("TOKEN_LISTED", "odin.creation", 0.5),
    EventType("PRICE_DELTA_UPDATED", "odin.analytics", 7),
    EventType("ANALYTICS_RECALCULATED", "odin.analytics", 7),
    EventType("HOLDER_COUNT_UPDATED", "odin.analytics", 2),
    EventType("TRENDING_UPDATED", "odin.analytics", 1),
)

TOKENS: tuple[str, ...] = (
    "BTC", "ETH", "SOL", "DOGE", "ODIN", "AVAX", "MATIC", "LINK", "UNI", "AAVE",
    "SUSHI", "COMP", "MKR", "SNX", "YFI", "CRV", "BAL", "RUNE", "LUNA", "ATOM",
)  # fmt: skip


@lru_cache(maxsize=65536)
def _fill(template: str, topic: str, key: bytes | None) -> str:
    segment = NO_KEY if key is None else encode_segment(key)
    return template.replace("{topic}", topic).replace("{key}", segment)


def encode_segment(key: bytes) -> str:
    """A record key as a segment of a channel name: what a name cannot hold is percent-encoded.

    One to one: percent-decoding gives the key back, but for `_` (a record without a key, see NO_KEY) and
    `__` (an empty key). Keys that are just these are written `%5F` and `%5F%5F`; `%` and `.` are encoded.
    """
    if not key:
        return EMPTY_KEY
    if key in (NO_KEY.encode(), EMPTY_KEY.encode()):
        return "%5F" * len(key)
    return quote_from_bytes(key, safe="~").replace(".", "%2E")


def is_channel_name(name: str) -> bool:
    """Whether `name` can be a channel (an exact one, without wildcards)."""
    return CHANNEL_NAME.fullmatch(name) is not None


def check_topic_name(name: str) -> str | None:
    """What is wrong with a topic's name, or None when it is fine."""
    if TOPIC_NAME.fullmatch(name):
        return None
    return "is no name for a topic: 1 to 249 letters, digits, dots, _ and -"


def is_channel_pattern(name: str) -> bool:
    """Whether `name` is a pattern: `<key>.*` or `*.<suffix>`, with exactly one `*` at an end."""
    inside = name[:-1] + "x" if name.endswith(".*") else "x" + name[1:] if name.startswith("*.") else ""
    return is_channel_name(inside)


def patterns_of(name: str) -> tuple[str, ...]:
    """Every pattern that matches the channel `name`: two for each dot in it."""
    cuts = [at for at, character in enumerate(name) if character == "."]
    return tuple(name[: at + 1] + "*" for at in cuts) + tuple("*" + name[at:] for at in cuts)


def check_channel_template(template: str, topic: str = "t") -> str | None:
    """What is wrong with the channel template of a topic, or None when it is fine."""
    if "{key}" not in template:
        return "must contain {key}"
    if is_channel_name(template.replace("{topic}", topic).replace("{key}", "k")):
        return None
    return (
        "must be segments of letters, digits, _ - ~, {key} and {topic}, joined by dots, "
        "for example '{key}.orders'"
    )


def channels_collide(one: Topic, other: Topic) -> bool:
    """Whether two topics name the same channels, so that positions of both would mix in one.

    `{key}.trade` twice, or `{key}.trade` and `x{key}.trade`, do. `orders.{key}` and `{key}.trade` do not:
    only the one pair of keys `trade` and `orders` would meet there, see docs/configuration.md.
    """
    mine, others = (_segments(topic) for topic in (one, other))
    return len(mine) == len(others) and all(map(_segments_meet, mine, others))


def _segments(topic: Topic) -> list[str]:
    return topic.channel.replace("{topic}", topic.name).split(".")


def _segments_meet(one: str, other: str) -> bool:
    if ("{key}" in one) != ("{key}" in other):
        return False
    if "{key}" not in one:
        return one == other
    (before, _, _), (other_before, _, _) = one.partition("{key}"), other.partition("{key}")
    after, other_after = one.rpartition("{key}")[2], other.rpartition("{key}")[2]
    starts_alike = before.startswith(other_before) or other_before.startswith(before)
    return starts_alike and (after.endswith(other_after) or other_after.endswith(after))
