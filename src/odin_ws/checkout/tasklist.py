"""The list of tasks that `./task` alone shows: read from go-task, in groups by what one wants to do.

In: the JSON of `task --list-all --json`. Out: groups in reading order, or the names nearest to a wrong one.
A task without a description is an internal one and is left out.
"""

import difflib
import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from odin_ws.errors import OdinError

#: Groups within an environment, in the order a person meets them.
VERBS = ("deploy", "start", "stop", "restart", "rebuild", "delete", "health", "logs", "stats", "test")


class TaskLine(NamedTuple):
    """A task's name and its one-line description."""

    name: str
    description: str


class Group(NamedTuple):
    """Tasks that belong together, under a title: `short`, `local:start`, `shared:build`."""

    title: str
    tasks: list[TaskLine]


def read_tasks(task_program: str, checkout: Path) -> list[TaskLine]:
    """Ask go-task for the public tasks of the checkout; raises OdinError with its own words when it fails."""
    command = [
        task_program,
        "--taskfile",
        str(checkout / "Taskfile.yml"),
        "--list-all",
        "--json",
        "--no-status",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OdinError(f"the task files cannot be read: {done.stderr.strip()}")
    return public_tasks(done.stdout)


def public_tasks(listing: str) -> list[TaskLine]:
    """The described tasks of go-task's JSON listing."""
    return [TaskLine(task["name"], task["desc"]) for task in json.loads(listing)["tasks"] if task["desc"]]


def grouped(tasks: Iterable[TaskLine]) -> list[Group]:
    """Groups in reading order: short names, each environment's verbs, what is shared; `all` leads a group."""
    groups: dict[str, list[TaskLine]] = {}
    for task in tasks:
        groups.setdefault(task.name.rpartition(":")[0] or "short", []).append(task)
    return [
        Group(title, sorted(groups[title], key=lambda task: (not task.name.endswith(":all"), task.name)))
        for title in sorted(groups, key=_place)
    ]


def nearest(wrong: str, names: Sequence[str], count: int = 3) -> list[str]:
    """The names most like a wrong one, best first; `start:w` too finds `local:start:ws`."""
    close = difflib.get_close_matches(wrong, names, n=count, cutoff=0.6)
    tails = {name.partition(":")[2]: name for name in names if ":" in name}
    close += [tails[tail] for tail in difflib.get_close_matches(wrong, list(tails), n=count, cutoff=0.6)]
    close += [name for name in names if wrong and wrong in name]
    return list(dict.fromkeys(close))[:count]


def _place(title: str) -> tuple[int, str, int]:
    environment, _, verb = title.partition(":")
    order = {"short": 0, "local": 1, "gcp": 2, "shared": 4}.get(environment, 3)
    return order, environment, VERBS.index(verb) if verb in VERBS else len(VERBS)
