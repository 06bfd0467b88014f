"""What the port's errors tell a person."""

from odin_ws.errors import ExitCode
from odin_ws.eventlog.base import UnknownTopic


def test_an_unknown_topic_names_the_known_ones_and_a_remedy() -> None:
    error = UnknownTopic("odin.trade", ["odin.trades", "odin.social"])
    assert error.message == "topic 'odin.trade' does not exist; the log has: odin.social, odin.trades"
    assert "odin.toml" in error.remedy
    assert error.exit_code is ExitCode.USAGE


def test_an_empty_log_says_so() -> None:
    assert UnknownTopic("t", []).message.endswith("the log has: none")
