"""Moves a retired file of the checkout to the `old/` directory of its tree, by `git mv`; nothing is deleted.

`taskfiles/local/x.yml` goes to `taskfiles/old/x.yml`, `scripts/local/x.sh` to `scripts/old/x.sh`, a file
of the root to `old/`. Where the name is taken, the date is added. The commit is left to the person.
"""

import subprocess
from datetime import date
from pathlib import Path

from odin_ws.errors import ExitCode, OdinError


def archive(file: Path, checkout: Path, today: date) -> Path:
    """Move `file` into its archive and return its new path.

    Raises OdinError (usage) when it does not exist, lies outside the checkout, is archived already, or is
    not under git's control.
    """
    source = file.absolute()
    inside = _inside(source, checkout)
    target = free_name(checkout / archive_directory(inside) / inside.name, today)
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["git", "mv", "--", str(source), str(target)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OdinError(
            f"git did not move {inside}: {done.stderr.strip()}",
            remedy=f"add it first: git add {inside}",
            exit_code=ExitCode.USAGE,
        )
    return target


def archive_directory(inside: Path) -> Path:
    """Where a path of the checkout (relative) is archived: `old/` in its first directory."""
    return Path(inside.parts[0], "old") if len(inside.parts) > 1 else Path("old")


def free_name(wanted: Path, today: date) -> Path:
    """`wanted`, or where that is taken the same with the date, or with the date and a number."""
    dated = f"{wanted.stem}-{today.isoformat()}"
    candidates = [wanted, wanted.with_name(f"{dated}{wanted.suffix}")]
    number = 2
    while candidates[0].exists():
        candidates.pop(0)
        candidates.append(wanted.with_name(f"{dated}-{number}{wanted.suffix}"))
        number += 1
    return candidates[0]


def _inside(source: Path, checkout: Path) -> Path:
    problem = None
    if not source.is_file():
        problem = f"{source} is no file"
    elif not source.resolve().is_relative_to(checkout.resolve()):
        problem = f"{source} lies outside of {checkout}"
    else:
        inside = source.resolve().relative_to(checkout.resolve())
        if "old" not in inside.parts[:-1]:
            return inside
        problem = f"{inside} is archived already"
    raise OdinError(
        problem,
        remedy="name a file of this checkout: ./task shared:utils:archive FILE=scripts/local/retired.sh",
        exit_code=ExitCode.USAGE,
    )
