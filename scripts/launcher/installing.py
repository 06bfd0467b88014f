"""Installs the locked packages and this project into one `.venv`: by uv, else by pip.

uv is four times as fast: the one of .venv, the one on PATH, or the lock's own, which pip fetches first. It
reads none of pip's configuration, so what pip is told about indexes and certificates is passed on.
"""

import ast
import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

RUNTIME_LOCK = "requirements.lock"
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


class Failed(Exception):
    """An installation step failed; the text of its output says why."""


class Installer:
    """Fills one .venv by uv, else by pip; what both print goes to `log`."""

    def __init__(self, root: Path, log: TextIO) -> None:
        self.root = root
        self.log = log
        self.bin = root / ".venv" / "bin"
        self.pip_command, self.pip_environment = pip_for(self.bin / "python", os.environ)

    def install(self, lock: str | None) -> None:
        """Install what `lock` pins (None: nothing), then this project itself; raises Failed."""
        try:
            self._install_by(self._uv(), lock)
        except (Failed, OSError) as failure:
            self.log.write(f"{failure}; trying pip\n")
            self._install_by(self._pip, lock)

    def _install_by(self, tool: Callable[..., None], lock: str | None) -> None:
        if lock:
            tool("install", "--require-hashes", "-r", str(self.root / lock))
        tool("install", "--no-deps", "--no-build-isolation", "-e", str(self.root))

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
        python = str(self.bin / "python")
        return lambda verb, *words: self._run([uv, "pip", verb, "--python", python, *words], environment)

    def _find_uv(self) -> str:
        """The uv on PATH or in .venv, else the lock's own, which pip puts into .venv."""
        own = self.bin / "uv"
        if own.is_file():
            return str(own)
        if found := shutil.which("uv"):
            return found
        pinned = pin_of("uv", (self.root / RUNTIME_LOCK).read_text())
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
