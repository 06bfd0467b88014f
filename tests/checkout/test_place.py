"""Finding the checkout and its programs."""

import shutil
import sys
from pathlib import Path

import pytest

from odin_ws.checkout.place import find_checkout, find_program
from odin_ws.errors import ExitCode, OdinError


def test_the_nearest_checkout_upwards_is_found(tmp_path: Path) -> None:
    for name in ("Taskfile.yml", "pyproject.toml"):
        (tmp_path / name).touch()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").touch()
    assert find_checkout(inner) == tmp_path


def test_outside_of_a_checkout_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(OdinError, match="in no checkout") as failure:
        find_checkout(tmp_path)
    assert failure.value.exit_code is ExitCode.USAGE


def test_the_environments_own_program_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sh").touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert find_program("sh") == str(tmp_path / "sh")
    (tmp_path / "sh").unlink()
    assert find_program("sh") == shutil.which("sh")


def test_a_missing_program_is_a_preflight_error() -> None:
    with pytest.raises(OdinError, match="no-such-program is not installed") as failure:
        find_program("no-such-program")
    assert failure.value.exit_code is ExitCode.PREFLIGHT
