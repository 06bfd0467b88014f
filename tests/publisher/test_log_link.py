"""The link to the log: opens when needed, closes on failure, pauses longer each time, tells the truth."""

import pytest

from odin_ws.eventlog.base import Draft
from odin_ws.publisher.log_link import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, LogLink
from publisher.fake_log import FakeLog

DRAFT = Draft("odin.trades", b"BTC", b"{}", 1)


def test_it_opens_once_and_appends(log: FakeLog) -> None:
    link = LogLink(log.open)
    assert not link.connected
    assert link.append([DRAFT])
    assert link.append([DRAFT])
    assert link.connected
    assert (log.opened, len(log.drafts)) == (1, 2)


def test_a_log_that_cannot_be_opened_is_told(log: FakeLog) -> None:
    log.failing = True
    link = LogLink(log.open)
    assert not link.ping()
    assert not link.connected
    assert link.problem == "the fake log is down"


def test_a_failure_closes_and_the_next_success_opens_again(log: FakeLog) -> None:
    link = LogLink(log.open)
    link.append([DRAFT])
    log.failing = True
    assert not link.append([DRAFT])
    assert not link.connected
    assert log.closed == 1
    log.failing = False
    assert link.append([DRAFT])
    assert (link.connected, link.problem) == (True, "")
    assert (log.opened, len(log.drafts)) == (2, 2)


def test_an_unknown_topic_is_a_failure_that_may_pass(log: FakeLog) -> None:
    log.topics = set()
    link = LogLink(log.open)
    assert not link.append([DRAFT])
    assert "odin.trades" in link.problem


def test_pauses_double_up_to_the_longest_and_start_over_after_success(log: FakeLog) -> None:
    log.failing = True
    link = LogLink(log.open)
    pauses = []
    for _ in range(8):
        link.ping()
        pauses.append(link.pause_seconds)
    assert pauses[:3] == [FIRST_PAUSE_SECONDS * 2, FIRST_PAUSE_SECONDS * 4, FIRST_PAUSE_SECONDS * 8]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    log.failing = False
    link.ping()
    assert link.pause_seconds == FIRST_PAUSE_SECONDS


def test_other_errors_are_not_hidden() -> None:
    def broken() -> FakeLog:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        LogLink(broken).ping()  # type: ignore[arg-type]


def test_close_is_idempotent(log: FakeLog) -> None:
    link = LogLink(log.open)
    link.close()
    link.ping()
    link.close()
    link.close()
    assert log.closed == 1
