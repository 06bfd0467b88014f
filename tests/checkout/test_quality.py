"""`check` runs every step, whatever the one before said."""

import sys
from pathlib import Path

from odin_ws.checkout.quality import Outcome, Step, describe, run_steps, steps


def test_every_step_runs_in_the_checkout(tmp_path: Path) -> None:
    told: list[str] = []
    write = (sys.executable, "-c", "open('ran', 'w').close()")
    outcomes = run_steps(
        [Step("one", (sys.executable, "-c", "raise SystemExit(3)")), Step("two", write)],
        tmp_path,
        told.append,
    )
    assert [(outcome.name, outcome.exit_code) for outcome in outcomes] == [("one", 3), ("two", 0)]
    assert (tmp_path / "ran").exists()
    assert told[0].startswith("── one: python")


def test_the_four_steps_and_pytest_last() -> None:
    wanted = steps(lambda name: f"/bin/{name}", ["-k", "gateway"])
    assert [step.command for step in wanted] == [
        ("/bin/ruff", "check", "."),
        ("/bin/ruff", "format", "--check", "."),
        ("/bin/mypy",),
        ("/bin/pytest", "-k", "gateway"),
    ]


def test_the_outcome_is_one_line() -> None:
    assert (
        describe([Outcome("lint", 0, 0.21), Outcome("types", 1, 9.0)])
        == "lint passed (0.2 s) · types failed (9.0 s)"
    )
