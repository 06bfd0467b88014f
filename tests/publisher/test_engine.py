"""The publisher's thread on a fake log: starts, replacements, stops, outages; nothing lost or doubled."""

import pytest

from odin_ws.eventlog.base import Draft, LogUnavailable
from odin_ws.publisher import engine
from odin_ws.publisher.engine import NotRunning, Publisher
from odin_ws.publisher.simulator import Simulator
from odin_ws.settings import PublisherSettings
from publisher.fake_log import FakeLog
from support import wait_until

TOKENS = ("BTC", "ETH")


def assert_is_run(drafts: list[Draft], seed: int, tokens: tuple[str, ...] = TOKENS) -> None:
    """The drafts are exactly the first events of a run: none lost, none twice, in order."""
    times = [draft.timestamp_ms or 0 for draft in drafts]
    assert drafts == Simulator(tokens, seed).batch(times)
    assert times == sorted(times)


def test_it_publishes_the_run_of_its_seed(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(2000, TOKENS, 5)
    log.wait_for(200)
    publisher.stop()
    assert_is_run(log.drafts, 5)


def test_stop_is_final(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(2000, TOKENS, 5)
    log.wait_for(10)
    publisher.stop()
    count = len(log.drafts)
    wait_until(lambda: log.pings > 0, "a ping while idle")
    assert len(log.drafts) == count
    assert not publisher.state().running


def test_stop_when_idle_is_fine(publisher: Publisher) -> None:
    publisher.stop()
    assert publisher.report() is None


def test_start_replaces_what_runs(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(2000, TOKENS, 5)
    log.wait_for(50)
    publisher.start(1000, ("SOL",), 6)
    first = len([draft for draft in log.drafts if draft.key != b"SOL"])
    log.wait_for(first + 50)
    publisher.stop()
    assert_is_run(log.drafts[:first], 5)
    assert_is_run(log.drafts[first:], 6, ("SOL",))
    assert publisher.totals().total == len(log.drafts)


def test_change_of_rate_goes_on_with_the_same_run(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(0.001, TOKENS, 5)
    log.wait_for(1)
    publisher.change_rate(2000)
    assert publisher.state().rate == 2000
    log.wait_for(100)
    publisher.stop()
    assert_is_run(log.drafts, 5)


def test_a_control_wakes_the_thread_from_a_long_wait(
    publisher: Publisher, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PING_SECONDS", 3600)
    publisher.start(0.001, TOKENS, 5)
    log.wait_for(1)
    publisher.start(0.001, ("SOL",), 6)
    assert log.wait_for(2)[1].key == b"SOL"
    publisher.change_rate(1000)
    log.wait_for(10)


def test_change_of_rate_needs_a_run(publisher: Publisher) -> None:
    with pytest.raises(NotRunning):
        publisher.change_rate(10)


def test_an_outage_loses_nothing_and_doubles_nothing(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(1000, TOKENS, 5)
    log.wait_for(50)
    log.failing = True
    wait_until(lambda: not publisher.state().connected, "the outage is told")
    report = publisher.report()
    assert report is not None
    assert 0 < report.waiting <= PublisherSettings().max_batch
    assert publisher.state().problem == "the fake log is down"
    log.failing = False
    wait_until(lambda: publisher.state().connected, "the end of the outage is told")
    log.wait_for(len(log.drafts) + 100)
    publisher.stop()
    assert_is_run(log.drafts, 5)
    totals = publisher.totals()
    assert totals.total == len(log.drafts)
    assert totals.errors >= 1
    assert totals.retries >= 1
    assert totals.unsent == totals.skipped == 0


def test_a_run_that_ends_in_an_outage_counts_what_it_gave_up(publisher: Publisher, log: FakeLog) -> None:
    log.failing = True
    publisher.start(1000, TOKENS, 5)
    wait_until(lambda: publisher.totals().errors > 0, "a failed append")
    publisher.stop()
    assert publisher.totals().unsent > 0
    assert log.drafts == []


def test_it_starts_without_a_log_and_finds_it_later(log: FakeLog) -> None:
    log.failing = True
    publisher = Publisher(log.open, PublisherSettings())
    publisher.launch()
    publisher.start(1000, TOKENS, 5)
    assert not publisher.state().connected
    log.failing = False
    log.wait_for(10)
    assert publisher.state().running
    assert publisher.close(5)
    assert_is_run(log.drafts, 5)


def test_idle_state_follows_the_log(publisher: Publisher, log: FakeLog) -> None:
    wait_until(lambda: publisher.state().connected, "connected while idle")
    log.failing = True
    wait_until(lambda: not publisher.state().connected, "disconnected while idle")
    log.failing = False
    wait_until(lambda: publisher.state().connected, "connected again")


def test_silent_state_follows_the_log_at_a_low_rate(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(0.001, TOKENS, 5)
    log.wait_for(1)
    log.failing = True
    wait_until(lambda: not publisher.state().connected, "disconnected between two events")


def test_controls_do_not_hang_on_an_append_that_hangs(publisher: Publisher, log: FakeLog) -> None:
    log.gate.clear()
    publisher.start(1000, TOKENS, 5)
    wait_until(lambda: log.tries, "an append that hangs")
    publisher.stop()
    assert not publisher.state().running
    log.gate.set()
    wait_until(lambda: publisher.totals().total == len(log.drafts) > 0, "the append is counted after all")


def test_report_of_the_last_run_stays_after_the_stop(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(1000, TOKENS, 5)
    log.wait_for(10)
    publisher.stop()
    report = publisher.report()
    assert report is not None
    assert report.until is not None
    assert (report.seed, report.tokens) == (5, TOKENS)
    assert report.counts.total == len(log.drafts)


def test_close_ends_the_thread_and_the_link(log: FakeLog) -> None:
    publisher = Publisher(log.open, PublisherSettings())
    publisher.launch()
    publisher.start(1000, TOKENS, 5)
    log.wait_for(1)
    assert publisher.close(5)
    assert log.closed == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unexpected_error_is_told() -> None:
    def broken() -> FakeLog:
        raise ZeroDivisionError

    failures: list[bool] = []
    publisher = Publisher(broken, PublisherSettings(), lambda: failures.append(True))  # type: ignore[arg-type]
    publisher.launch()
    wait_until(lambda: failures, "the failure is told")
    assert publisher.close(5)


def test_an_unavailable_log_is_no_unexpected_error(log: FakeLog) -> None:
    def down() -> FakeLog:
        raise LogUnavailable("not there")

    failures: list[bool] = []
    publisher = Publisher(down, PublisherSettings(), lambda: failures.append(True))  # type: ignore[arg-type]
    publisher.launch()
    wait_until(lambda: publisher.state().problem == "not there", "the problem is told")
    assert publisher.close(5)
    assert failures == []
