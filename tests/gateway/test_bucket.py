"""The token bucket holds its burst and its rate, whatever the clock does."""

from hypothesis import given
from hypothesis import strategies as st

from odin_ws.gateway.bucket import Bucket


def test_a_bucket_does_not_go_negative_when_the_clock_steps_back():
    bucket = Bucket(1, 1, now=100.0)
    assert bucket.take(50.0)
    assert not bucket.take(50.0)
    assert bucket.take(51.0)


@given(st.lists(st.floats(0, 5), max_size=200))
def test_never_more_than_the_burst_and_the_rate_allow(waits):
    bucket, now, taken = Bucket(5, 2.0, now=0.0), 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.take(now)
    assert taken <= 5 + 2.0 * now + 1e-6


def test_a_rate_of_zero_never_refills():
    bucket = Bucket(2, 0, now=0.0)
    assert [bucket.take(now) for now in (0.0, 1.0, 1e9)] == [True, True, False]
