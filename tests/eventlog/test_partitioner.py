"""Keys find the partition that every Kafka producer would choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.eventlog.partitioner import KeylessTurn, murmur2, partition_of

#: The vectors of Kafka's own UtilsTest.testMurmur2, as signed 32-bit numbers.
KAFKA_VECTORS = [
    (b"21", -973932308),
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    (b"abc", 479470107),
]


@pytest.mark.parametrize(("key", "expected"), KAFKA_VECTORS)
def test_murmur2_gives_kafkas_own_vectors(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected % 2**32


@pytest.mark.parametrize(("key", "expected"), KAFKA_VECTORS)
def test_the_sign_bit_is_masked_not_negated(key: bytes, expected: int) -> None:
    assert partition_of(key, 12) == (expected & 0x7FFFFFFF) % 12


@given(st.binary(max_size=64), st.integers(1, 1000))
def test_a_key_always_has_the_same_partition_inside_the_topic(key: bytes, partitions: int) -> None:
    first = partition_of(key, partitions)
    partition_of.cache_clear()
    assert partition_of(key, partitions) == first
    assert 0 <= first < partitions


def test_keyless_records_take_turns_topic_by_topic() -> None:
    turn = KeylessTurn()
    assert [turn.next("a", 3) for _ in range(4)] == [0, 1, 2, 0]
    assert turn.next("b", 3) == 0
    assert turn.next("a", 3) == 1
