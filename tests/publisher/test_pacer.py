"""The plan of a run: planned times, catching up, skipping, changes of rate; all with a given clock."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.publisher.pacer import Pacer, Throttle

SECOND = 1_000_000_000
MS = 1_000_000


def run_steady(pacer: Pacer, start_ns: int, seconds: float, step_ns: int = MS) -> list[tuple[int, int]]:
    """Take every `step_ns`; returns (taken at, planned for) of each event."""
    events = []
    for now_ns in range(start_ns, start_ns + round(seconds * SECOND), step_ns):
        events += [(now_ns, planned) for planned in pacer.take(now_ns, 1000)]
    return events


def most_in_a_second(times: list[int]) -> int:
    most, first = 0, 0
    for index, at in enumerate(times):
        while times[first] <= at - SECOND:
            first += 1
        most = max(most, index - first + 1)
    return most


@pytest.mark.parametrize("rate", [0.5, 1, 7, 100, 2000, 50_000])
def test_events_are_planned_at_the_rate(rate: float) -> None:
    pacer = Pacer(rate, 5 * SECOND)
    events = run_steady(pacer, 5 * SECOND, 4)
    assert len(events) == pytest.approx(4 * rate, abs=rate / 500 + 1)
    assert [planned for _, planned in events] == [
        5 * SECOND + math.ceil(index * SECOND / rate) for index in range(len(events))
    ]


def test_no_event_leaves_early_and_none_is_late_when_asked_in_time() -> None:
    events = run_steady(Pacer(2000, 0), 0, 2)
    assert all(0 <= now - planned <= MS for now, planned in events)


def test_next_is_the_moment_when_take_has_an_event() -> None:
    pacer = Pacer(3, 0)
    assert len(pacer.take(0, 10)) == 1
    due_ns = pacer.next_ns()
    assert pacer.take(due_ns - 1000, 10) == []
    assert pacer.take(due_ns, 10) == [due_ns]


def test_limit_leaves_the_rest_for_the_next_take() -> None:
    pacer = Pacer(100_000, 0)
    assert len(pacer.take(3 * MS, 50)) == 50
    assert pacer.backlog(3 * MS) == 251
    assert pacer.next_ns() <= 3 * MS


def test_stall_is_caught_up_completely_at_no_more_than_twice_the_rate() -> None:
    pacer = Pacer(1000, 0)
    run_steady(pacer, 0, 1)
    after = run_steady(pacer, 4 * SECOND, 6)
    assert most_in_a_second([now for now, _ in after]) <= 2000
    assert pacer.backlog(10 * SECOND - MS) == 0
    assert pacer.skipped == 0


def test_catch_up_takes_as_long_as_the_stall_at_factor_two() -> None:
    pacer = Pacer(1000, 0)
    run_steady(pacer, 3 * SECOND, 2.5)
    assert pacer.backlog(round(5.5 * SECOND)) > 400
    run_steady(pacer, round(5.5 * SECOND), 0.7)
    assert pacer.backlog(round(6.2 * SECOND)) <= 1


def test_factor_one_keeps_the_delay_and_never_goes_over_the_rate() -> None:
    pacer = Pacer(1000, 0, catch_up_factor=1)
    events = run_steady(pacer, 2 * SECOND, 2)
    assert most_in_a_second([now for now, _ in events]) <= 1000


def test_what_is_later_than_the_backlog_is_skipped_and_counted() -> None:
    pacer = Pacer(100, 0, max_backlog_seconds=10)
    assert len(pacer.take(0, 10)) == 1
    times = pacer.take(60 * SECOND, 1000)
    assert times[0] == 50 * SECOND
    assert pacer.skipped == 50 * 100 - 1
    assert pacer.planned(60 * SECOND) == 6001


def test_without_a_backlog_limit_nothing_is_skipped() -> None:
    pacer = Pacer(100, 0, max_backlog_seconds=0)
    assert pacer.take(3600 * SECOND, 1)[0] == 0
    assert pacer.skipped == 0


def test_change_of_rate_continues_from_now() -> None:
    pacer = Pacer(1, 0)
    assert pacer.take(0, 10) == [0]
    pacer.change_rate(10, SECOND // 2)
    assert pacer.next_ns() == SECOND // 2 + SECOND // 20
    assert pacer.planned(SECOND // 2 + SECOND) == 11


def test_change_from_a_very_low_rate_takes_effect_at_once() -> None:
    pacer = Pacer(0.001, 0)
    pacer.take(0, 10)
    pacer.change_rate(1000, SECOND)
    assert pacer.next_ns() <= SECOND + MS
    assert len(run_steady(pacer, SECOND, 1)) == pytest.approx(1000, abs=2)


def test_change_of_rate_makes_no_event_of_its_own() -> None:
    pacer = Pacer(1, 0)
    pacer.take(0, 10)
    for now_ms in range(900):
        pacer.change_rate(1 + now_ms % 2 / 100, now_ms * MS)
        assert pacer.take(now_ms * MS, 10) == []


def test_what_was_due_before_a_change_of_rate_keeps_its_time() -> None:
    pacer = Pacer(4, 0, catch_up_factor=10_000)
    pacer.change_rate(1000, SECOND)
    pacer.change_rate(2, 2 * SECOND)
    times = [planned for _, planned in run_steady(pacer, 3 * SECOND, 0.1)]
    assert times[:6] == [0, SECOND // 4, SECOND // 2, 3 * SECOND // 4, SECOND, SECOND + MS]
    assert times[1003:1005] == [SECOND + 999 * MS, 2 * SECOND]


def test_skipping_crosses_changes_of_rate() -> None:
    pacer = Pacer(100, 0, max_backlog_seconds=1)
    pacer.change_rate(10, 2 * SECOND)
    pacer.change_rate(1000, 4 * SECOND)
    assert pacer.take(10 * SECOND, 1) == [9 * SECOND]
    assert pacer.skipped == 200 + 20 + 5000


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["wait", "stall", "rate"]),
            st.integers(min_value=1, max_value=400),
            st.floats(min_value=0.2, max_value=5000),
        ),
        max_size=40,
    )
)
def test_every_planned_event_is_taken_skipped_or_waiting_and_in_order(
    steps: list[tuple[str, int, float]],
) -> None:
    pacer, now_ns, taken = Pacer(100, 0, max_backlog_seconds=1), 0, []
    for what, length_ms, rate in steps:
        if what == "rate":
            pacer.change_rate(rate, now_ns)
        now_ns += length_ms * (10 * MS if what == "stall" else MS)
        taken += pacer.take(now_ns, 500)
        assert len(taken) + pacer.skipped + pacer.backlog(now_ns) == pacer.planned(now_ns)
        assert pacer.backlog(now_ns) >= 0
    assert taken == sorted(taken)
    assert all(planned <= now_ns + 10 for planned in taken)


@given(
    st.lists(st.integers(min_value=0, max_value=300 * MS), min_size=1, max_size=200),
    st.floats(min_value=0.5, max_value=20_000),
)
def test_throttle_keeps_every_second_within_its_rate(pauses: list[int], rate: float) -> None:
    throttle, times = Throttle(rate), []
    for now_ns in itertools.accumulate(pauses):
        count = throttle.allowed(now_ns, 100_000)
        throttle.released(now_ns, count)
        times += [now_ns] * count
    assert most_in_a_second(times) <= math.ceil(rate) + 1


def test_throttle_without_limit_lets_all_through() -> None:
    throttle = Throttle(math.inf)
    throttle.released(0, 100)
    assert throttle.allowed(0, 12345) == 12345
