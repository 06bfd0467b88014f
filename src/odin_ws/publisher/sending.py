"""Sends lines of NDJSON to the event log as they come, at a rate if one is asked for.

In: chunks of a stream, of any size. Out: appends, a report for each bad line, and a tally. What a chunk
completes is sent before the next chunk is read: a file goes in large batches, and a line from a pipe
leaves when it arrives. Memory is one chunk and one line.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from odin_ws.eventlog.base import Draft, LogFull, LogUnavailable
from odin_ws.publisher.ndjson import BadLine, LineParser, LineSplitter
from odin_ws.publisher.pacer import Throttle


class SendTally:
    """What became of the lines so far. `last_line` is the last one that was dealt with."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.bad = 0
        self.expired = 0
        self.last_line = 0


class LineSender:
    """One stream on its way into the log.

    Args:
        parser: judges the lines.
        append: writes a batch to the log, all or none; raises when it cannot.
        on_bad_line: told the number and the reason of each bad line.
        retention_seconds: by topic; a record older than that is sent but counted as expired.
        rate: records per second at most; 0 = as fast as the log takes them.
        max_batch: records in one append, at most.
        now_ns: monotonic clock.
        wait: waits so many seconds.
    """

    def __init__(
        self,
        parser: LineParser,
        append: Callable[[Sequence[Draft]], object],
        on_bad_line: Callable[[int, str], None],
        *,
        retention_seconds: Mapping[str, float],
        rate: float = 0.0,
        max_batch: int = 1000,
        now_ns: Callable[[], int] = time.monotonic_ns,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.tally = SendTally()
        self._parser = parser
        self._append = append
        self._on_bad_line = on_bad_line
        self._retention_seconds = retention_seconds
        self._throttle = Throttle(rate or math.inf)
        self._max_batch = max_batch
        self._now_ns = now_ns
        self._wait = wait
        self._splitter = LineSplitter()

    def feed(self, chunk: bytes) -> None:
        """Send what `chunk` completes; returns when it is in the log."""
        self._send(self._splitter.feed(chunk))

    def finish(self) -> None:
        """The stream has ended: send what is left."""
        self._send(self._splitter.finish())

    def _send(self, lines: Iterable[tuple[int, bytes]]) -> None:
        batch: list[Draft] = []
        for number, line in lines:
            try:
                batch.append(self._parser.draft(line))
            except BadLine as reason:
                self.tally.bad += 1
                self._on_bad_line(number, str(reason))
            if len(batch) >= self._max_batch:
                self._flush(batch, number)
                batch = []
        self._flush(batch, self._splitter.number)

    def _flush(self, batch: list[Draft], last_line: int) -> None:
        sent = 0
        while sent < len(batch):
            now_ns = self._now_ns()
            count = self._throttle.allowed(now_ns, len(batch) - sent)
            if count == 0:
                self._wait(max(0.0, (self._throttle.ready_ns() - now_ns) / 1e9))
                continue
            part = batch[sent : sent + count]
            self._append(part)
            self._throttle.released(now_ns, count)
            self._count(part)
            sent += count
        self.tally.last_line = last_line

    def _count(self, part: Sequence[Draft]) -> None:
        unix_ms = time.time() * 1000
        for draft in part:
            self.tally.sent[draft.topic] += 1
            if draft.timestamp_ms is not None:
                age_seconds = (unix_ms - draft.timestamp_ms) / 1000
                self.tally.expired += age_seconds > self._retention_seconds.get(draft.topic, math.inf)


def patient(
    append: Callable[[Sequence[Draft]], object],
    on_retry: Callable[[str], None],
    patience_seconds: float = 30.0,
) -> Callable[[Sequence[Draft]], object]:
    """`append` that tries again while the log is unavailable or full, for `patience_seconds`, then raises."""

    def tell(state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome is not None:
            on_retry(str(state.outcome.exception()))

    retrying = Retrying(
        retry=retry_if_exception_type((LogUnavailable, LogFull)),
        wait=wait_exponential(multiplier=0.05, max=1.0),
        stop=stop_after_delay(patience_seconds),
        before_sleep=tell,
        reraise=True,
    )
    return lambda drafts: retrying(append, drafts)
