"""What can go wrong, told to a person: one exception with a remedy, and the one table of exit codes.

Every failure that reaches a terminal is an `OdinError`: what failed, why, and what to do about it.
The command line prints it and exits with its code; services log it. Nothing here prints or exits.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `odin` and, with `task -x`, of every task."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    PREFLIGHT = 3
    START_FAILED = 4
    TIMEOUT = 5
    UNHEALTHY = 6
    NOT_RUNNING = 7
    THRESHOLDS_FAILED = 99
    INTERRUPTED = 130


class OdinError(Exception):
    """A failure told in three parts.

    Args:
        message: what failed and why, one sentence.
        remedy: what the reader can do now, best a command; empty where there is nothing.
        exit_code: the process's exit code when this ends a command.
    """

    def __init__(self, message: str, *, remedy: str = "", exit_code: ExitCode = ExitCode.INTERNAL) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code
