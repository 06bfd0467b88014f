"""Why a connection ends: the one table of close codes, from which wire, log, metric label and docs derive.

4000–4099 ask the client to reconnect, 4100–4199 not to. Source of the standard codes: RFC 6455, 7.4.1.
"""

from enum import Enum


class Closing(Enum):
    """A reason to close; each knows its WebSocket code, metric label, whether to reconnect, and its text."""

    BYE = (1000, "bye", False, "closed as asked")
    PROTOCOL_ERROR = (1002, "protocol_error", False, "not a valid WebSocket frame")
    BINARY = (1003, "binary", False, "binary frames are not accepted; send JSON in text frames")
    BAD_UTF8 = (1007, "bad_utf8", False, "text frames must be UTF-8")
    TOO_BIG = (1009, "too_big", False, "message longer than max_message_bytes")
    DRAINING = (1012, "draining", True, "the server is going away; reconnect")
    SLOW_CONSUMER = (
        4000,
        "slow_consumer",
        True,
        "more than max_queued_bytes waited for you; reconnect and resume",
    )
    SILENT = (4001, "silent", True, "nothing was heard from you for silence_timeout_seconds")
    UNAUTHORISED = (4100, "unauthorised", False, "not authorised")
    ORIGIN = (4101, "origin", False, "origin not allowed")
    ABUSE = (4102, "abuse", False, "too many errors; mend the client before it connects again")

    def __init__(self, code: int, label: str, reconnect: bool, reason: str) -> None:
        self.code = code
        self.label = label
        self.reconnect = reconnect
        self.reason = reason

    @classmethod
    def label_of(cls, code: int) -> str:
        """The metric label of a code; `other` for one that is not in the table, `lost` for 1006."""
        if code == 1006:
            return "lost"
        return next((closing.label for closing in cls if closing.code == code), "other")
