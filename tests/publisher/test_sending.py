"""Lines of a stream on their way into a log: batches, bad lines, a rate, trying again."""

from collections.abc import Sequence

import pytest

from odin_ws.eventlog.base import Draft, LogFull, LogUnavailable, UnknownTopic
from odin_ws.publisher.ndjson import LineParser
from odin_ws.publisher.sending import LineSender, patient


class Bench:
    """A sender with a log, a clock and a list of complaints."""

    def __init__(self, rate: float = 0.0, max_batch: int = 1000) -> None:
        self.batches: list[list[Draft]] = []
        self.times: list[int] = []
        self.bad: list[tuple[int, str]] = []
        self.now_ns = 0
        self.sender = LineSender(
            LineParser(["orders"]),
            self.append,
            lambda number, reason: self.bad.append((number, reason)),
            retention_seconds={"orders": 60.0},
            rate=rate,
            max_batch=max_batch,
            now_ns=lambda: self.now_ns,
            wait=self.wait,
        )

    def append(self, drafts: Sequence[Draft]) -> None:
        self.batches.append(list(drafts))
        self.times += [self.now_ns] * len(drafts)

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9) + 1

    def values(self) -> list[bytes]:
        return [draft.value for batch in self.batches for draft in batch]


def line(value: int, more: str = "") -> bytes:
    return b'{"topic":"orders","value":%d%s}\n' % (value, more.encode())


def test_all_lines_arrive_in_order() -> None:
    bench = Bench()
    stream = b"".join(line(n) for n in range(100))
    bench.sender.feed(stream[:333])
    bench.sender.feed(stream[333:-1])
    bench.sender.finish()
    assert bench.values() == [b"%d" % n for n in range(100)]
    assert bench.sender.tally.sent == {"orders": 100}


def test_a_complete_line_is_sent_before_the_next_chunk() -> None:
    bench = Bench()
    bench.sender.feed(line(1) + b'{"topic":"ord')
    assert bench.values() == [b"1"]


def test_batches_are_bounded() -> None:
    bench = Bench(max_batch=30)
    bench.sender.feed(b"".join(line(n) for n in range(100)))
    assert [len(batch) for batch in bench.batches] == [30, 30, 30, 10]


def test_a_bad_line_is_told_and_the_rest_goes_on() -> None:
    bench = Bench()
    bench.sender.feed(line(1) + b"oops\n" + line(3))
    assert bench.values() == [b"1", b"3"]
    assert [number for number, _ in bench.bad] == [2]
    assert (bench.sender.tally.bad, bench.sender.tally.last_line) == (1, 3)


def test_last_line_tells_where_it_stopped_when_the_log_fails() -> None:
    bench = Bench(max_batch=10)

    def fail_on_third(drafts: Sequence[Draft]) -> None:
        if len(bench.batches) == 2:
            raise LogFull("full")
        bench.append(drafts)

    bench.sender._append = fail_on_third
    with pytest.raises(LogFull):
        bench.sender.feed(b"".join(line(n) for n in range(100)))
    assert bench.sender.tally.last_line == len(bench.values()) == 20


def test_a_rate_is_kept() -> None:
    bench = Bench(rate=100)
    bench.sender.feed(b"".join(line(n) for n in range(500)))
    assert len(bench.values()) == 500
    gaps = [b - a for a, b in zip(bench.times, bench.times[100:], strict=False)]
    assert min(gaps) >= 1_000_000_000
    assert bench.now_ns == pytest.approx(5e9, rel=0.02)


def test_without_a_rate_nothing_waits() -> None:
    bench = Bench()
    bench.sender.feed(b"".join(line(n) for n in range(500)))
    assert bench.now_ns == 0
    assert len(bench.batches) == 1


def test_records_older_than_their_retention_are_counted() -> None:
    bench = Bench()
    bench.sender.feed(line(1, ',"timestamp":1') + line(2) + line(3, ',"timestamp":253402300799999'))
    assert len(bench.values()) == 3
    assert bench.sender.tally.expired == 1


def test_patient_tries_again_and_says_so_once() -> None:
    tries: list[int] = []
    told: list[str] = []

    def flaky(drafts: Sequence[Draft]) -> None:
        tries.append(len(drafts))
        if len(tries) < 4:
            raise LogUnavailable("locked")

    patient(flaky, told.append)([Draft("orders", None, b"1")])
    assert tries == [1, 1, 1, 1]
    assert told == ["locked"]


def test_patient_gives_up_in_the_end() -> None:
    def full(drafts: Sequence[Draft]) -> None:
        raise LogFull("no space")

    with pytest.raises(LogFull):
        patient(full, lambda reason: None, patience_seconds=0)([])


def test_patient_does_not_try_again_what_cannot_help() -> None:
    tries: list[int] = []

    def unknown(drafts: Sequence[Draft]) -> None:
        tries.append(1)
        raise UnknownTopic("x", [])

    with pytest.raises(UnknownTopic):
        patient(unknown, lambda reason: None)([])
    assert tries == [1]
