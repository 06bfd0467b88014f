"""Pins the packages: `requirements.lock` (what runs) and `requirements-dev.lock` (what `check` needs on top).

`uv` resolves pyproject.toml for Python 3.11 and later on every system at once and writes hashes. No
address of an index and no path of a machine gets into a lock, so it says the same wherever it was made.
"""

import subprocess
from pathlib import Path

from odin_ws.errors import OdinError

RUNTIME_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"

#: What must not stand in a lock: it would tie it to one index or one machine.
FOREIGN = ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", "/home/", "/root/")


def write_locks(checkout: Path, uv: str, *, upgrade: bool = False) -> list[Path]:
    """Resolve and write both locks; pinned versions stay where they fit, unless `upgrade`.

    Raises OdinError with uv's own explanation when it cannot resolve, or when a lock would name an address.
    """
    runtime = _compile(checkout, uv, RUNTIME_LOCK, ["--extra", "setup"], upgrade)
    on_top = ["--extra", "setup", "--extra", "dev", "--constraint", RUNTIME_LOCK]
    return [runtime, _compile(checkout, uv, DEV_LOCK, on_top, upgrade)]


def foreign_lines(lock: str) -> list[str]:
    """The lines of a lock that tie it to an index or a machine; none in a good one."""
    return [line for line in lock.splitlines() if any(word in line for word in FOREIGN)]


def _compile(checkout: Path, uv: str, name: str, sources: list[str], upgrade: bool) -> Path:
    command = [
        uv, "pip", "compile", "pyproject.toml", *sources, "--output-file", name, "--quiet",
        "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-header", "--no-emit-index-url", "--no-emit-find-links", *(["--upgrade"] if upgrade else []),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OdinError(f"{name} could not be resolved:\n{done.stderr.strip()}")
    lock = checkout / name
    if foreign := foreign_lines(lock.read_text()):
        raise OdinError(f"{name} names an address or a path of this machine: {foreign[0]}")
    return lock
