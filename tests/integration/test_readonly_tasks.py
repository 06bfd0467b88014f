"""Every task that only reads, run by go-task against a started platform: exit 0, one answer on stdout."""

import json
from collections.abc import Iterator

import pytest

from odin_ws.checkout.place import find_program
from started_platform import ROOT, StartedPlatform, started_platform

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

READ_ONLY = (
    *("health", "status", "urls"),
    *(f"local:health:{name}" for name in ("redpanda", "publisher", "ws", "all", "detailed")),
    *(f"local:logs:{name}" for name in ("redpanda", "publisher", "ws", "all")),
    *(f"local:stats:{name}" for name in ("publisher", "ws", "ips", "topics")),
    "local:stats:consume",
    "shared:utils:doctor",
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedPlatform]:
    with started_platform(tmp_path_factory.mktemp("home") / "odin") as platform:
        yield platform


@pytest.fixture(scope="module")
def launcher_is_ready() -> None:
    """The task files call ./odin, which would first make .venv; `./task check` has done so."""
    if not (ROOT / ".venv" / "made-from").is_dir():
        pytest.skip("run by ./task check: needs .venv")


@pytest.mark.parametrize("name", READ_ONLY)
@pytest.mark.usefixtures("launcher_is_ready")
def test_it_answers_people_and_programs(platform: StartedPlatform, name: str) -> None:
    task = (find_program("task"), "-x", "-t", str(ROOT / "Taskfile.yml"), name)
    for_people = platform.run(*task, "NUM=2", "TAIL=5")
    assert for_people.returncode == 0, for_people.stderr
    assert for_people.stdout.strip()
    for_programs = platform.run(*task, "NUM=2", "TAIL=5", "FORMAT=json")
    assert for_programs.returncode == 0, for_programs.stderr
    assert json.loads(for_programs.stdout)


def test_the_launcher_changes_nothing_of_an_answer(
    platform: StartedPlatform, launcher_is_ready: None
) -> None:
    done = platform.run("./task", "local:health:all", "FORMAT=json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "healthy"
    assert done.stderr == ""
