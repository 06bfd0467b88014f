"""Makes `.venv` in this checkout from the pinned, hashed locks; `./task` starts it when that is needed.

In: requirements.lock (what runs), with --dev also requirements-dev.lock (what `check` needs on top). Out:
.venv with those packages and this project (editable), and in .venv/made-from copies of what it was made
from, written last: without them the next call starts afresh. Runs on the standard library alone, any
Python >= 3.11. One process at a time works; a second one waits for it. Exit codes: 0, 3 (told why), 130.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from installing import RUNTIME_LOCK, Failed, Installer
from telling import NEEDED_DISK_MB, explain, progress, read_end

DEV_LOCK = "requirements-dev.lock"
PROJECT = "pyproject.toml"


class Place(NamedTuple):
    """The files of one checkout that take part."""

    root: Path

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def made_from(self) -> Path:
        """Copies of what it was made from; there only when it is complete."""
        return self.venv / "made-from"

    @property
    def scratch(self) -> Path:
        """Lock file and log of the set-up; ignored by git."""
        return self.root / ".task"

    @property
    def log(self) -> Path:
        """Everything the last set-up printed."""
        return self.scratch / "setup.log"


def main(arguments: list[str]) -> int:
    """Make or renew .venv and tell how it went on stderr; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make .venv from the locks.")
    parser.add_argument("--dev", action="store_true", help="with the development packages")
    place = Place(Path(__file__).resolve().parents[2])
    wants_dev = parser.parse_args(arguments).dev
    try:
        with only_one(place):
            if not is_current(place, wants_dev):
                set_up(place, wants_dev)
    except (Failed, OSError) as failure:
        print(explain(f"{failure}\n{read_end(place.log)}", place.log), file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("\ninterrupted; the next call starts the set-up again", file=sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def only_one(place: Place) -> Iterator[None]:
    """Hold this checkout's set-up lock; the kernel gives it back when the process ends, however it ends."""
    place.scratch.mkdir(exist_ok=True)
    with open(place.scratch / "setup.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another call is setting up .venv; waiting for it …", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def sources(place: Place, wants_dev: bool) -> list[str]:
    """The files .venv is made from; once it has the development packages it keeps them."""
    has_dev = (place.made_from / DEV_LOCK).is_file()
    return [PROJECT, RUNTIME_LOCK, *([DEV_LOCK] if wants_dev or has_dev else [])]


def is_current(place: Place, wants_dev: bool) -> bool:
    """Whether .venv stands where it was made, and was made from the files as they are."""
    return stands_here(place) and all(
        same_text(place.root / name, place.made_from / name) for name in sources(place, wants_dev)
    )


def stands_here(place: Place) -> bool:
    """Whether .venv is complete, has a living interpreter, and the checkout was not moved since."""
    with contextlib.suppress(OSError):
        recorded = (place.made_from / "place").read_text()
        commands = (place.venv / "bin" / name for name in ("python", "odin", "task"))
        return recorded == f"{place.root}\n" and all(os.access(path, os.X_OK) for path in commands)
    return False


def same_text(one: Path, other: Path) -> bool:
    """Whether both files can be read and hold the same."""
    with contextlib.suppress(OSError):
        return one.read_bytes() == other.read_bytes()
    return False


def set_up(place: Place, wants_dev: bool) -> None:
    """Make .venv afresh, or bring a complete one up to the locks; raises Failed or OSError."""
    place.log.unlink(missing_ok=True)
    names = sources(place, wants_dev)
    afresh = not stands_here(place)
    lock = DEV_LOCK if DEV_LOCK in names else RUNTIME_LOCK
    only_project = not afresh and same_text(place.root / lock, place.made_from / lock)
    texts = {name: (place.root / name).read_bytes() for name in names}
    check_disk(place.root)
    with open(place.log, "w") as log, progress("Setting up .venv (once)" if afresh else "Updating .venv"):
        shutil.rmtree(place.made_from, ignore_errors=True)
        if afresh:
            shutil.rmtree(place.venv, ignore_errors=True)
            venv.EnvBuilder(with_pip=False, symlinks=True).create(place.venv)
        Installer(place.root, log).install(None if only_project else lock)
        place.made_from.mkdir()
        for name, text in texts.items():
            (place.made_from / name).write_bytes(text)
        (place.made_from / "place").write_text(f"{place.root}\n")


def check_disk(root: Path) -> None:
    """Raise Failed when the packages would not fit."""
    free_mb = shutil.disk_usage(root).free // 1_000_000
    if free_mb < NEEDED_DISK_MB:
        raise Failed(f"No space left on device: {free_mb} MB are free, {NEEDED_DISK_MB} MB are needed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
