"""Counters of a run, adding them up, and rates out of samples."""

import pytest

from odin_ws.publisher.counts import Counts, RateWindow, Sample, rates_between

SECOND = 1_000_000_000


def test_an_append_is_counted_by_topic_with_its_lateness() -> None:
    counts = Counts()
    counts.acknowledged(["a", "b", "a"], [0.5, 10.0, 10.5], 2.0)
    assert counts.published == {"a": 2, "b": 1}
    assert counts.total == 3
    assert counts.late == 1
    assert (counts.lateness.count, counts.lateness.max_ms) == (3, 10.5)
    assert (counts.appends.count, counts.appends.max_ms) == (1, 2.0)


def test_merge_adds_every_counter() -> None:
    first, second = Counts(), Counts()
    for counts in (first, second):
        counts.acknowledged(["a"], [20.0], 1.0)
        counts.errors, counts.retries, counts.unsent, counts.planned, counts.skipped = 1, 2, 3, 4, 5
    first.merge(second)
    assert first.published == {"a": 2}
    assert (first.late, first.errors, first.retries) == (2, 2, 4)
    assert (first.unsent, first.planned, first.skipped) == (6, 8, 10)
    assert first.lateness.count == first.appends.count == 2


def test_rates_between_two_moments() -> None:
    assert rates_between(Sample(0, 0, 0), Sample(2 * SECOND, 90, 100)) == (45.0, 50.0)


def test_rates_of_no_time_are_zero() -> None:
    assert rates_between(Sample(5, 0, 0), Sample(5, 1, 1)) == (0.0, 0.0)


def test_window_looks_back_to_the_start_while_a_run_is_young() -> None:
    window = RateWindow(Sample(0, 0, 0))
    window.sample(Sample(SECOND, 100, 100))
    assert window.rates(Sample(4 * SECOND, 200, 400)) == (50.0, 100.0)


def test_window_forgets_what_is_older_than_ten_seconds() -> None:
    window = RateWindow(Sample(0, 0, 0))
    for second in range(1, 31):
        window.sample(Sample(second * SECOND, min(second, 20) * 100, second * 100))
    achieved, planned = window.rates(Sample(30 * SECOND, 2000, 3000))
    assert (achieved, planned) == (pytest.approx(0.0), pytest.approx(100.0))


def test_window_keeps_one_sample_a_second() -> None:
    window = RateWindow(Sample(0, 0, 0))
    for tick in range(1, 15_001):
        window.sample(Sample(tick * SECOND // 1000, tick, tick))
    assert window.rates(Sample(15 * SECOND, 15_000, 15_000))[0] == pytest.approx(1000)
    assert window.rates(Sample(25 * SECOND, 15_000, 25_000))[0] == pytest.approx(500, rel=0.01)
