"""Which partition a record goes to, as Kafka's default partitioner decides it.

A key is hashed with murmur2, so a key finds the same partition in every engine and in every producer of
the Kafka world. Records without a key go together, one partition an append, the next append to the next.
Pure but for the turn of the keyless records, which each writer keeps for itself.
"""

from functools import lru_cache

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


class KeylessTurn:
    """Whose turn it is among the partitions of each topic, for the keyless records of the next append."""

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}

    def next(self, topic: str, partitions: int) -> int:
        """The partition for the keyless records that one append has for `topic`; moves the turn on."""
        turn = self._turns.get(topic, -1) + 1
        self._turns[topic] = turn
        return turn % partitions


@lru_cache(maxsize=65536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a record with `key` in a topic of `partitions` partitions."""
    return (murmur2(key) & _POSITIVE) % partitions


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2) as an unsigned 32-bit number."""
    value = _SEED ^ len(data)
    tail = len(data) & ~3
    for start in range(0, tail, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        value = value * _MULTIPLIER & _MASK ^ word
    if len(data) > tail:
        value = (value ^ int.from_bytes(data[tail:], "little")) * _MULTIPLIER & _MASK
    value = (value ^ value >> 13) * _MULTIPLIER & _MASK
    return value ^ value >> 15
