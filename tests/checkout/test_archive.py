"""Archiving moves by git and never overwrites."""

import subprocess
from datetime import date
from pathlib import Path

import pytest

from odin_ws.checkout.archive import archive, archive_directory, free_name
from odin_ws.errors import ExitCode, OdinError

TODAY = date(2030, 1, 2)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for command in (["init", "-q"], ["config", "user.email", "a@b.c"], ["config", "user.name", "a"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    for name in ("scripts/local/x.sh", "scripts/local/y.sh", "top.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "commit", "-qm", "x"], cwd=tmp_path, check=True)
    return tmp_path


def test_a_file_moves_to_the_archive_of_its_tree(checkout: Path) -> None:
    target = archive(checkout / "scripts/local/x.sh", checkout, TODAY)
    assert target == checkout / "scripts/old/x.sh"
    assert target.read_text() == "scripts/local/x.sh"
    status = subprocess.run(["git", "status", "-s"], cwd=checkout, capture_output=True, text=True, check=True)
    assert status.stdout == "R  scripts/local/x.sh -> scripts/old/x.sh\n"


def test_a_taken_name_gets_the_date_and_then_a_number(tmp_path: Path) -> None:
    wanted = tmp_path / "x.sh"
    names = []
    for _ in range(4):
        free = free_name(wanted, TODAY)
        free.touch()
        names.append(free.name)
    assert names == ["x.sh", "x-2030-01-02.sh", "x-2030-01-02-2.sh", "x-2030-01-02-3.sh"]


@pytest.mark.parametrize(
    ("inside", "directory"),
    [("taskfiles/local/x.yml", "taskfiles/old"), ("scripts/x.sh", "scripts/old"), ("top.txt", "old")],
)
def test_each_tree_has_its_archive(inside: str, directory: str) -> None:
    assert archive_directory(Path(inside)) == Path(directory)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("scripts/local/gone.sh", "is no file"),
        ("scripts", "is no file"),
        ("../outside.txt", "lies outside"),
        ("scripts/local/untracked.sh", "git did not move"),
        ("scripts/old/z.sh", "archived already"),
    ],
)
def test_what_cannot_be_archived_is_told_and_stays(checkout: Path, name: str, problem: str) -> None:
    (checkout.parent / "outside.txt").write_text("")
    (checkout / "scripts/local/untracked.sh").write_text("")
    (checkout / "scripts/old").mkdir()
    (checkout / "scripts/old/z.sh").write_text("")
    with pytest.raises(OdinError, match=problem) as failure:
        archive(checkout / name, checkout, TODAY)
    assert failure.value.exit_code is ExitCode.USAGE
    assert failure.value.remedy
    assert (checkout / "scripts/local/untracked.sh").exists()
