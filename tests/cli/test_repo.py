"""The commands that care for the checkout: what they print and how they end."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from odin_ws.checkout import quality
from odin_ws.cli.app import app
from odin_ws.errors import ExitCode, OdinError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)

    def run(*words: str, catch: bool = True):
        return CliRunner().invoke(app, list(words), catch_exceptions=catch)

    return run


def test_tasks_are_listed_by_group(run) -> None:
    done = run("tasks")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines.index("short") < lines.index("local:start") < lines.index("shared:utils")
    assert any(line.split()[:1] == ["local:start:ws"] for line in lines)


def test_an_unknown_task_is_a_usage_error_with_the_nearest(run) -> None:
    with pytest.raises(
        OdinError, match=r"no task 'local:strat:ws'; did you mean .*local:start:ws"
    ) as failure:
        run("tasks", "--unknown", "local:strat:ws", catch=False)
    assert failure.value.exit_code is ExitCode.USAGE
    assert failure.value.remedy.startswith("./task local:")


@pytest.mark.parametrize(("exit_code", "ends"), [(0, 0), (2, 1)])
def test_check_fails_when_a_step_fails(
    run, monkeypatch: pytest.MonkeyPatch, exit_code: int, ends: int
) -> None:
    def outcomes(wanted, checkout, tell):
        assert wanted[-1].command[1:] == ("-k", "gateway")
        return [quality.Outcome("lint", exit_code, 0.1)]

    monkeypatch.setattr(quality, "run_steps", outcomes)
    done = run("check", "-k", "gateway")
    assert done.exit_code == ends
    assert ("lint failed" in done.stderr) == bool(exit_code)


def test_archive_names_where_it_moved(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "odin_ws.checkout.archive.archive", lambda file, checkout, today: checkout / "scripts/old/x.sh"
    )
    assert "moved to scripts/old/x.sh" in run("archive", "scripts/local/x.sh").stdout


def test_build_prints_paths(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("odin_ws.checkout.wheel.build_wheel", lambda checkout: checkout / "dist/x.whl")
    monkeypatch.setattr(
        "odin_ws.checkout.locks.write_locks", lambda checkout, uv, upgrade: [checkout / f"up-{upgrade}.lock"]
    )
    assert run("build", "wheel").stdout.strip() == str(ROOT / "dist/x.whl")
    assert run("build", "lock", "--upgrade").stdout == "up-True.lock\n"
