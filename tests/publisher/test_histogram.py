"""Percentiles within ten percent, exact maximum, sums that hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.publisher.histogram import BOUNDS_MS, DurationHistogram


def histogram_of(values: list[float]) -> DurationHistogram:
    histogram = DurationHistogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(
    st.lists(st.floats(min_value=0.05, max_value=600_000), min_size=1, max_size=300),
    st.sampled_from([1, 50, 90, 99, 99.9, 100]),
)
def test_percentile_is_right_within_ten_percent_and_never_too_small(
    values: list[float], percent: float
) -> None:
    exact = sorted(values)[math.ceil(len(values) * percent / 100) - 1]
    assert exact <= histogram_of(values).percentile(percent) <= exact * 1.1 + 1e-9


@given(st.lists(st.floats(min_value=0, max_value=1e7)), st.lists(st.floats(min_value=0, max_value=1e7)))
def test_merged_is_as_if_counted_in_one(first: list[float], second: list[float]) -> None:
    merged, whole = histogram_of(first), histogram_of(first + second)
    merged.merge(histogram_of(second))
    assert (merged.count, merged.max_ms) == (whole.count, whole.max_ms)
    assert merged.total_ms == pytest.approx(whole.total_ms)
    assert [merged.percentile(p) for p in (10, 50, 99)] == [whole.percentile(p) for p in (10, 50, 99)]


def test_empty_is_zero() -> None:
    assert DurationHistogram().percentile(99) == 0.0


def test_max_is_exact_even_beyond_the_last_bucket() -> None:
    assert histogram_of([1.0, 3_600_000.0]).percentile(100) == 3_600_000.0


def test_negative_counts_as_zero() -> None:
    histogram = histogram_of([-5.0])
    assert (histogram.count, histogram.total_ms, histogram.max_ms) == (1, 0.0, 0.0)


def test_at_most_counts_up() -> None:
    histogram = histogram_of([0.1, 0.9, 4.0, 4.1, 1e9])
    assert histogram.at_most([0.05, 1, 5, 1000]) == [0, 2, 4, 4]


def test_at_most_at_a_bound_includes_the_bucket_that_ends_there() -> None:
    assert histogram_of([BOUNDS_MS[10]]).at_most([BOUNDS_MS[9], BOUNDS_MS[10]]) == [0, 1]
