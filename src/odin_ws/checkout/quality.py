"""`check`: lint, format, types and tests of the code, each run whatever the one before said.

Their own output goes straight to the terminal, pytest's summary last; only when something failed does a
line follow it that names what. Nothing is parsed and nothing is changed.
"""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple


class Step(NamedTuple):
    """One check: its name and command."""

    name: str
    command: tuple[str, ...]


class Outcome(NamedTuple):
    """How a step went: exit code of its command (0 = passed) and how long it took."""

    name: str
    exit_code: int
    seconds: float


def steps(find_program: Callable[[str], str], pytest_arguments: Sequence[str] = ()) -> list[Step]:
    """The steps in the order they run; pytest is last, so that its summary is what stays on the screen."""
    ruff = find_program("ruff")
    return [
        Step("lint", (ruff, "check", ".")),
        Step("format", (ruff, "format", "--check", ".")),
        Step("types", (find_program("mypy"),)),
        Step("tests", (find_program("pytest"), *pytest_arguments)),
    ]


def run_steps(wanted: Sequence[Step], checkout: Path, tell: Callable[[str], None]) -> list[Outcome]:
    """Run every step in `checkout`; `tell` gets a line before each."""
    outcomes = []
    for step in wanted:
        tell(f"── {step.name}: {' '.join((Path(step.command[0]).name, *step.command[1:]))}")
        begun = time.monotonic()
        done = subprocess.run(step.command, cwd=checkout, check=False)
        outcomes.append(Outcome(step.name, done.returncode, time.monotonic() - begun))
    return outcomes


def describe(outcomes: Sequence[Outcome]) -> str:
    """One line: `lint passed (0.2 s) · types failed (9.1 s)`."""
    return " · ".join(
        f"{outcome.name} {'failed' if outcome.exit_code else 'passed'} ({outcome.seconds:.1f} s)"
        for outcome in outcomes
    )
