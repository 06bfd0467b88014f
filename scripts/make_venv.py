"""Makes `.venv` in this checkout from the pinned, hashed locks; `./task` starts it when that is needed.

In: requirements.lock (what runs), with --dev also requirements-dev.lock (what `check` needs on top). Out:
.venv with those packages and this project (editable), and in .venv/made-from copies of what it was made
from, written last: without them the next call starts afresh. Runs on the standard library alone, any
Python >= 3.11. One process at a time works; a second one waits for it. Exit codes: 0, 3 (told why), 130.

uv installs, four times as fast as pip: the one on PATH, or the lock's own, which pip fetches. Where uv
cannot run, pip installs everything.
"""

import argparse
import ast
import contextlib
import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TextIO

NEEDED_DISK_MB = 400
RUNTIME_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"
PROJECT = "pyproject.toml"
#: Would send pip elsewhere than into .venv, or let it check other things than the lock.
PIP_DETOURS = ("TARGET", "PREFIX", "ROOT", "USER", "CONSTRAINT", "REQUIRE_VIRTUALENV", "PYTHON")

#: uv's variables for pip's options.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
#: What the output of a failed set-up holds, what that means, and what to do; the first that fits is told.
CAUSES = (
    (
        r"no space left|os error 28|errno 28|disk quota",
        "the disk is full",
        f"free {NEEDED_DISK_MB} MB, then ./task again",
    ),
    (
        r"do not match the hashes|hash mismatch",
        "a package differs from what the lock pins",
        "empty the cache (pip cache purge), then ./task again; if it stays, the index serves another file",
    ),
    (
        r"certificate|SSLError|invalid peer",
        "the package index's certificate is not trusted here",
        "point PIP_CERT to your organisation's certificate file, then ./task again",
    ),
    (
        r"permission denied|errno 13|os error 13|read-only file system",
        "a file or directory cannot be written",
        "make this checkout and your cache directory writable for you, then ./task again",
    ),
    (
        r"connection|timed? ?out|name resolution|name or service|dns|network|proxy|error sending request"
        r"|failed to fetch|no matching distribution",
        "the package index cannot be reached",
        "check the network and the proxy; behind a mirror: pip config set global.index-url ADDRESS",
    ),
)


class Failed(Exception):
    """An installation step failed; the text of its output says why."""


class Place(NamedTuple):
    """The files of one checkout that take part."""

    root: Path

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.venv / "bin" / "python"

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
    place = Place(Path(__file__).resolve().parent.parent)
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
        Installer(place, log).install(None if only_project else lock)
        place.made_from.mkdir()
        for name, text in texts.items():
            (place.made_from / name).write_bytes(text)
        (place.made_from / "place").write_text(f"{place.root}\n")


def check_disk(root: Path) -> None:
    """Raise Failed when the packages would not fit."""
    free_mb = shutil.disk_usage(root).free // 1_000_000
    if free_mb < NEEDED_DISK_MB:
        raise Failed(f"No space left on device: {free_mb} MB are free, {NEEDED_DISK_MB} MB are needed")


class Installer:
    """Fills one .venv by uv, else by pip; what both print goes to `log`."""

    def __init__(self, place: Place, log: TextIO) -> None:
        self.place = place
        self.log = log
        self.pip_command, self.pip_environment = pip_for(place.python, os.environ)

    def install(self, lock: str | None) -> None:
        """Install what `lock` pins (None: nothing), then this project itself; raises Failed."""
        try:
            self._install_by(self._uv(), lock)
        except (Failed, OSError) as failure:
            self.log.write(f"{failure}; trying pip\n")
            self._install_by(self._pip, lock)

    def _install_by(self, tool: Callable[..., None], lock: str | None) -> None:
        if lock:
            tool("install", "--require-hashes", "-r", str(self.place.root / lock))
        tool("install", "--no-deps", "--no-build-isolation", "-e", str(self.place.root))

    def _uv(self) -> Callable[..., None]:
        # pip takes a second to start: it lists its configuration while uv is fetched.
        with subprocess.Popen(
            [*self.pip_command, "config", "list"],
            env=self.pip_environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        ) as listing:  # fmt: skip
            uv = self._find_uv()
            settings = pip_settings(listing.communicate()[0])
        if settings.get("no-index", "false").lower() in ("1", "true", "yes", "on"):
            raise Failed("pip is told to use no index, which uv cannot be told by its environment")
        environment = uv_environment(settings, os.environ)
        python = str(self.place.python)
        return lambda verb, *words: self._run([uv, "pip", verb, "--python", python, *words], environment)

    def _find_uv(self) -> str:
        """The uv on PATH or in .venv, else the lock's own, which pip puts into .venv."""
        own = self.place.venv / "bin" / "uv"
        if own.is_file():
            return str(own)
        if found := shutil.which("uv"):
            return found
        pinned = pin_of("uv", (self.place.root / RUNTIME_LOCK).read_text())
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
            only_uv.write(pinned)
            only_uv.flush()
            self._pip(
                "install", "--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", only_uv.name
            )
        return str(own)

    def _pip(self, verb: str, *words: str) -> None:
        quiet = ("--no-compile", "--retries", "2", "--progress-bar", "off")
        self._run([*self.pip_command, verb, *quiet, *words], self.pip_environment)

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        self.log.write(f"$ {' '.join(command)}\n")
        self.log.flush()
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, check=False
        )
        if done.returncode:
            raise Failed(f"exit code {done.returncode} of: {' '.join(command)}")


def pin_of(package: str, lock: str) -> str:
    """The lines of `package` in a lock: name, version, hashes; raises Failed when it is not there."""
    found = re.search(rf"^{re.escape(package)}==.*(?:\n .*)*", lock, re.MULTILINE)
    if not found:
        raise Failed(f"{package} is not in {RUNTIME_LOCK}")
    return found.group() + "\n"


def pip_for(python: Path, environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """How to run pip on `python`, and the environment for it without what would lead it elsewhere.

    The wheel that comes with Python (module ensurepip) runs as it is, which saves the seconds of
    installing it; else the pip installed beside this interpreter is told to work on the other one.
    """
    dropped = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", *(f"PIP_{name}" for name in PIP_DETOURS)}
    environment = {name: text for name, text in environ.items() if name not in dropped}
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if wheel := bundled_pip():
        environment["PYTHONPATH"] = str(wheel)
        return [str(python), "-m", "pip"], environment
    return [sys.executable, "-m", "pip", "--python", str(python)], environment


def bundled_pip() -> Path | None:
    """The pip wheel that module ensurepip would install."""
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or spec.origin is None:
        return None
    directories = [Path(spec.origin).parent / "_bundled"]
    if distribution := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        directories.insert(0, Path(distribution))
    wheels = [wheel for directory in directories for wheel in sorted(directory.glob("pip-*.whl"))]
    return wheels[0] if wheels else None


def pip_settings(listing: str) -> dict[str, str]:
    """What `pip config list` says, by option: section install wins over global, the environment over both."""
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listing.splitlines():
            name, _, text = line.partition("=")
            if name.startswith(f"{section}."):
                with contextlib.suppress(SyntaxError, ValueError):
                    settings[name.removeprefix(f"{section}.")] = str(ast.literal_eval(text))
    return settings


def uv_environment(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv: pip's index, certificates and wheel directories in uv's words.

    uv reads none of pip's configuration. What the environment says to uv itself wins.
    """
    separators = {"UV_FIND_LINKS": ","}
    said = {
        variable: separators.get(variable, " ").join(pip[option].split())
        for option, variable in UV_NAMES.items()
        if pip.get(option)
    }
    if any(name.startswith("UV_") and "INDEX" in name for name in environ):
        said = {name: text for name, text in said.items() if "INDEX" not in name}
    dropped = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}
    return said | {name: text for name, text in environ.items() if name not in dropped}


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Tell on stderr that `what` is under way, each second on a terminal, and how long it took."""
    begun = time.monotonic()
    done = threading.Event()
    live = sys.stderr.isatty()

    def tick() -> None:
        while not done.wait(1.0):
            print(f"\r{what} … {time.monotonic() - begun:.0f} s", end="", file=sys.stderr, flush=True)

    print(f"{what} …", end="", file=sys.stderr, flush=True)
    ticker = threading.Thread(target=tick, daemon=True)
    if live:
        ticker.start()
    result = "failed after"
    try:
        yield
        result = "done in"
    finally:
        done.set()
        start = f"\r{what} …" if live else ""
        print(f"{start} {result} {time.monotonic() - begun:.1f} s", file=sys.stderr)


def read_end(log: Path, size: int = 20_000) -> str:
    """The last `size` characters of the log, or nothing where there is none."""
    try:
        return log.read_text(errors="replace")[-size:]
    except OSError:
        return ""


def explain(output: str, log: Path) -> str:
    """What a person should know about a failed set-up: the likely cause, what to do, where the log is."""
    unknown = (output.strip().splitlines()[0], "read the log, then ./task again")
    likely = ((cause, remedy) for pattern, cause, remedy in CAUSES if re.search(pattern, output, re.I))
    cause, remedy = next(likely, unknown)
    return f"error: .venv could not be set up: {cause}\n  try: {remedy}\n  full log: {log}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
