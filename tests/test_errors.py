"""A failure has three parts, and the exit codes are those that are documented."""

from pathlib import Path

from odin_ws.errors import ExitCode, OdinError

TASKS = Path(__file__).resolve().parents[1] / "docs" / "tasks.md"


def test_a_failure_tells_what_why_and_what_to_do():
    error = OdinError("the log is full", remedy="free some disk", exit_code=ExitCode.UNHEALTHY)
    assert str(error) == error.message == "the log is full"
    assert error.remedy == "free some disk"
    assert error.exit_code == 6


def test_a_failure_that_says_no_more_is_an_internal_one():
    error = OdinError("broken")
    assert (error.remedy, error.exit_code) == ("", ExitCode.INTERNAL)


def test_exit_codes_that_scripts_rely_on():
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "INTERNAL": 1,
        "USAGE": 2,
        "PREFLIGHT": 3,
        "START_FAILED": 4,
        "TIMEOUT": 5,
        "UNHEALTHY": 6,
        "NOT_RUNNING": 7,
        "THRESHOLDS_FAILED": 99,
        "INTERRUPTED": 130,
    }


def test_every_exit_code_a_command_has_is_documented():
    text = TASKS.read_text()
    promised = [code for code in ExitCode if code is not ExitCode.THRESHOLDS_FAILED]
    assert [code.name for code in promised if f"| {int(code)} |" not in text] == []
