"""One run with a given clock: what is taken, what waits through a failure, and the books."""

import json

from odin_ws.publisher.pacer import Pacer
from odin_ws.publisher.run import Run
from odin_ws.publisher.simulator import Simulator

SECOND = 1_000_000_000
MS = 1_000_000
START_NS = 77 * SECOND
UNIX_NS = 1_750_000_000 * SECOND


def run_at(rate: float = 100) -> Run:
    return Run(Simulator(["BTC"], 1), Pacer(rate, START_NS), START_NS, UNIX_NS)


def take(run: Run, after_ns: int, max_batch: int = 1000) -> list[int]:
    """Timestamps in ms after the start of what the run gives `after_ns` after the start."""
    drafts = run.take(START_NS + after_ns, UNIX_NS + after_ns, max_batch)
    return [(draft.timestamp_ms or 0) - UNIX_NS // MS for draft in drafts]


def test_records_carry_their_planned_time_however_late_they_are_taken() -> None:
    run = run_at()
    assert take(run, 0) == [0]
    run.acknowledged(START_NS, 0)
    assert take(run, 17 * MS) == [10]
    run.acknowledged(START_NS + 17 * MS, 0)
    assert take(run, 25 * MS) == [20]


def test_timestamps_follow_the_wall_clock_when_it_is_set() -> None:
    run = run_at()
    drafts = run.take(START_NS, UNIX_NS + 3600 * SECOND, 10)
    assert drafts[0].timestamp_ms == UNIX_NS // MS + 3_600_000
    assert json.loads(drafts[0].value)["timestamp"] == drafts[0].timestamp_ms


def test_what_the_log_did_not_take_is_given_again_unchanged() -> None:
    run = run_at()
    first = list(run.take(START_NS, UNIX_NS, 10))
    run.failed()
    assert list(run.take(START_NS + SECOND, UNIX_NS + SECOND, 10)) == first
    run.acknowledged(START_NS + SECOND, 3 * MS)
    assert take(run, SECOND)[0] == 10
    books = run.books(START_NS + SECOND)
    assert (books.total, books.errors, books.retries) == (1, 1, 1)
    assert books.lateness.max_ms == 1000


def test_nothing_due_gives_nothing() -> None:
    run = run_at()
    take(run, 0)
    run.acknowledged(START_NS, 0)
    assert take(run, 5 * MS) == []


def test_a_batch_is_bounded() -> None:
    run = run_at(100_000)
    assert len(take(run, 4 * MS, max_batch=25)) == 25


def test_books_in_the_middle_of_a_run() -> None:
    run = run_at()
    take(run, 0)
    run.acknowledged(START_NS + 2 * MS, MS)
    books = run.books(START_NS + SECOND)
    assert (books.total, books.planned, books.skipped, books.unsent) == (1, 101, 0, 0)
    assert books.appends.max_ms == 1.0


def test_the_end_counts_what_waits_as_unsent_and_freezes_the_plan() -> None:
    run = run_at()
    take(run, 0)
    run.failed()
    run.end(START_NS + SECOND)
    books = run.books(START_NS + 50 * SECOND)
    assert (books.total, books.unsent, books.planned) == (0, 1, 101)
    assert run.overall_rates(START_NS + 50 * SECOND) == (0.0, 101.0)
    assert run.waiting == []


def test_rates_of_a_run_that_keeps_up() -> None:
    run = run_at()
    for tick in range(30 * 100):
        take(run, tick * 10 * MS)
        run.acknowledged(START_NS + tick * 10 * MS, 0)
    now_ns = START_NS + 30 * SECOND
    achieved, planned = run.recent_rates(now_ns)
    assert abs(achieved - 100) < 1
    assert abs(planned - 100) < 1
    assert abs(run.overall_rates(now_ns)[0] - 100) < 1


def test_since_is_the_wall_time_of_the_start() -> None:
    assert run_at().since.timestamp() == 1_750_000_000
