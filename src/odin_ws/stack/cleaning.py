"""Removes what can be made again: caches and build results of the checkout, and logs when nothing runs.

The event log's data is never touched here; `delete` removes it, and asks first.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from odin_ws.stack.lock import hold_lock_if_free
from odin_ws.stack.stack import Stack

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "build", "dist")
#: Where compiled Python files are looked for; .venv keeps its own.
CODE = ("src", "tests", "benchmarks", "examples", "scripts")


@dataclass(frozen=True)
class Cleaned:
    """What was removed, and what was kept and why, in words."""

    removed: list[str]
    kept: list[str]


def clean_up(stack: Stack) -> Cleaned:
    """Clean the checkout around the home, and the home itself as far as nothing runs."""
    checkout = stack.home.root.parent
    removed = _remove_caches(checkout) if (checkout / "pyproject.toml").is_file() else []
    kept: list[str] = []
    if stack.home.base.is_dir():
        _clean_home(stack, removed, kept)
    return Cleaned(removed, kept)


def _remove_caches(checkout: Path) -> list[str]:
    found = [checkout / name for name in CACHES]
    found += [path for name in CODE for path in (checkout / name).rglob("__pycache__")]
    removed = []
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
            removed.append(str(path.relative_to(checkout)))
    return removed


def _clean_home(stack: Stack, removed: list[str], kept: list[str]) -> None:
    home = stack.home
    if home.run.is_dir():
        with hold_lock_if_free(home) as held:
            running = [name for name, seen in stack.driver.observe().items() if seen.pid is not None]
            if running or not held:
                kept.append(f"{home.base}: {', '.join(running) or 'another command'} is running")
                return
            stack.driver.shut_down()
            removed.append(str(home.run))
    if home.logs.is_dir():
        shutil.rmtree(home.logs)
        removed.append(str(home.logs))
    if home.data.is_dir():
        kept.append(f"{home.data} (data; ./task local:delete:all removes it)")
