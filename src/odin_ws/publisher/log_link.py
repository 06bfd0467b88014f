"""The event log as the publisher's thread sees it: opened when needed, opened again after a failure.

A call that fails closes the log, remembers the reason and doubles the pause before the next try; the
first success resets it. All of it belongs to one thread; `connected` and `problem` may be read by any.
"""

from collections.abc import Callable, Sequence

from odin_ws.eventlog.base import Draft, EventLog, LogError
from odin_ws.structured_log import get_log

_log = get_log(__name__)

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


class LogLink:
    """One writer's link to the log.

    Args:
        open_log: opens the log or raises a LogError.
    """

    def __init__(self, open_log: Callable[[], EventLog]) -> None:
        self._open_log = open_log
        self._eventlog: EventLog | None = None
        self.connected = False
        self.problem = "not connected yet"
        self.pause_seconds = FIRST_PAUSE_SECONDS

    def append(self, drafts: Sequence[Draft]) -> bool:
        """Whether all drafts are in the log now; when not, none is."""
        return self._call(lambda eventlog: eventlog.append(drafts))

    def ping(self) -> bool:
        """Whether the log can be written now."""
        return self._call(lambda eventlog: eventlog.ping())

    def close(self) -> None:
        """Close the log; the next call opens it again."""
        if self._eventlog is not None:
            self._eventlog.close()
            self._eventlog = None

    def _call(self, do: Callable[[EventLog], object]) -> bool:
        try:
            if self._eventlog is None:
                self._eventlog = self._open_log()
            do(self._eventlog)
        except LogError as error:
            self._failed(error)
            return False
        self._succeeded()
        return True

    def _failed(self, error: LogError) -> None:
        if self.connected or error.message != self.problem:
            _log.warning("event log failed", error=error.message, remedy=error.remedy)
        self.connected, self.problem = False, error.message
        self.pause_seconds = min(LONGEST_PAUSE_SECONDS, self.pause_seconds * 2)
        self.close()

    def _succeeded(self) -> None:
        if not self.connected:
            _log.info("event log connected")
        self.connected, self.problem = True, ""
        self.pause_seconds = FIRST_PAUSE_SECONDS
