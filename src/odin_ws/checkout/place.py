"""Finds the checkout that a command works on, and the programs of its `.venv`.

The checkout is the nearest directory upwards that holds this project's Taskfile.yml and pyproject.toml.
Commands of an installed wheel have none, and say so.
"""

import shutil
import sys
from pathlib import Path

from odin_ws.errors import ExitCode, OdinError


def find_checkout(start: Path | None = None) -> Path:
    """The root of the checkout around `start` (the current directory); raises OdinError outside of one."""
    here = (start or Path.cwd()).resolve()
    for directory in (here, *here.parents):
        if (directory / "Taskfile.yml").is_file() and (directory / "pyproject.toml").is_file():
            return directory
    raise OdinError(
        f"{here} is in no checkout of odin-ws (no Taskfile.yml beside a pyproject.toml here or above)",
        remedy="go to the directory that holds ./task",
        exit_code=ExitCode.USAGE,
    )


def find_program(name: str) -> str:
    """The path of a program that belongs to this Python's environment, else the one on PATH."""
    own = Path(sys.executable).parent / name
    found = str(own) if own.is_file() else shutil.which(name)
    if found is None:
        raise OdinError(
            f"{name} is not installed beside {sys.executable}",
            remedy="rm -rf .venv && ./task",
            exit_code=ExitCode.PREFLIGHT,
        )
    return found
