"""The launcher `./task`: what it says when Python is missing or unfit, when it sets up, what it hands over.

The quick tests run a copy of it with a PATH of their own: interpreters that pretend to be old or bare, and
a stand-in for the set-up that makes an empty .venv. The slow ones install for real.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SET_UP_STAND_IN = """
import pathlib, sys
root = pathlib.Path(__file__).resolve().parents[2]
with open(root / "calls", "a") as calls:
    calls.write(" ".join(["set up", *sys.argv[1:]]) + "\\n")
if (root / "broken").exists():
    sys.exit(3)
(root / ".venv/bin").mkdir(parents=True, exist_ok=True)
for name in ("python", "task", "odin"):
    program = root / ".venv/bin" / name
    program.write_text(f"#!/bin/sh\\nprintf '%s\\\\n' {name} \\"$@\\"; exit 6\\n")
    program.chmod(0o755)
made_from = root / ".venv/made-from"
made_from.mkdir(exist_ok=True)
names = ["requirements.lock", "pyproject.toml"]
if sys.argv[1:] == ["--dev"]:
    names.append("requirements-dev.lock")
for name in names:
    (made_from / name).write_bytes((root / name).read_bytes())
(made_from / "place").write_text(f"{root}\\n")
"""

#: Interpreters that pretend: what runs before the launcher's question is put to the real one.
OLD = "import sys; sys.version_info = (3, 9, 2, 'final', 0)"
BARE = (
    "import importlib.util as u, shutil; real = u.find_spec; shutil.which = lambda name: None; "
    "u.find_spec = lambda name: None if name in ('ensurepip', 'pip') else real(name)"
)
NO_VENV = "import importlib.util as u; u.find_spec = lambda name: None"


@dataclass
class Checkout:
    """A copy of the launcher in a directory of its own, with a PATH of its own."""

    root: Path
    programs: Path

    def python(self, name: str, pretends: str | None = None) -> Path:
        """Put an interpreter on PATH, the real one or one that pretends."""
        text = f'exec "{sys.executable}" "$@"'
        if pretends:
            text = f'exec "{sys.executable}" -I -c "{pretends}; exec(__import__(\'sys\').argv[1])" "$3"'
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        return program

    def run(self, *words: str, program: str = "task", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `./task` (or `./odin`) with nothing in the environment but PATH and what is given."""
        return subprocess.run(
            [str(self.root / program), *words],
            env={"PATH": str(self.programs), "PYTHONDONTWRITEBYTECODE": "1", **environ},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def set_ups(self) -> list[str]:
        """The calls of the set-up so far."""
        calls = self.root / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"
    (root / "scripts" / "launcher").mkdir(parents=True)
    shutil.copy(ROOT / "task", root / "task")
    (root / "odin").symlink_to("task")
    (root / "scripts" / "launcher" / "make_venv.py").write_text(SET_UP_STAND_IN)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (root / name).write_text(f"{name} 1\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "cmp", "grep", "uname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    return Checkout(root, programs)


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox"])
def test_it_is_posix_shell(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    command = [shell, "sh", "-n"] if shell == "busybox" else [shell, "-n"]
    assert subprocess.run([*command, str(ROOT / "task")], check=False).returncode == 0


def test_no_python(checkout: Checkout) -> None:
    done = checkout.run("up")
    assert done.returncode == 3
    assert "no python3 on PATH; Python 3.11 or newer is needed" in done.stderr
    assert done.stdout == ""


def test_python_too_old(checkout: Checkout) -> None:
    checkout.python("python3", OLD)
    done = checkout.run("up")
    assert done.returncode == 3
    assert "found only older ones: python3 (3.9.2)" in done.stderr


@pytest.mark.parametrize("pretends", [BARE, NO_VENV])
def test_python_without_what_makes_an_environment(checkout: Checkout, pretends: str) -> None:
    checkout.python("python3", pretends)
    done = checkout.run("up")
    assert done.returncode == 3
    assert "venv or ensurepip is missing in python3 (3." in done.stderr
    assert f"python3.{sys.version_info.minor}-venv" in done.stderr or "apt" not in done.stderr


def test_a_named_python_that_cannot_be_run(checkout: Checkout) -> None:
    checkout.python("python3")
    done = checkout.run("up", PYTHON="/nowhere/python3")
    assert done.returncode == 3
    assert "PYTHON=/nowhere/python3 is no Python that can be run" in done.stderr


def test_a_named_python_that_is_too_old(checkout: Checkout) -> None:
    checkout.python("python3")
    named = checkout.python("mine", OLD)
    done = checkout.run("up", PYTHON=str(named))
    assert done.returncode == 3
    assert f"older ones: {named} (3.9.2)" in done.stderr


@pytest.mark.parametrize(
    ("system", "grep_finds", "said", "unsaid"),
    [
        ("Darwin", "exit 1", ["brew install"], ["apt", "dnf"]),
        ("Linux", 'case "$*" in *debian*) exit 0 ;; *) exit 1 ;; esac', ["apt install"], ["brew", "dnf"]),
        ("Linux", 'case "$*" in *fedora*) exit 0 ;; *) exit 1 ;; esac', ["dnf install"], ["brew", "apt"]),
        ("Linux", "exit 1", ["apt install", "dnf install", "brew install"], []),
    ],
)
def test_the_remedy_is_that_of_this_system(
    checkout: Checkout, system: str, grep_finds: str, said: list[str], unsaid: list[str]
) -> None:
    for name, text in (("uname", f"echo {system}"), ("grep", grep_finds)):
        (checkout.programs / name).unlink()
        (checkout.programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (checkout.programs / name).chmod(0o755)
    told = checkout.run("up").stderr
    assert all(word in told for word in said)
    assert not any(word in told for word in unsaid)


def test_an_old_python3_is_passed_over_for_a_newer_one(checkout: Checkout) -> None:
    checkout.python("python3", OLD)
    checkout.python("python3.12")
    assert checkout.run("up").returncode == 6
    assert checkout.set_ups == ["set up"]


def test_the_first_call_sets_up_and_later_ones_start_no_python(checkout: Checkout) -> None:
    python = checkout.python("python3")
    first = checkout.run("up", "TIMEOUT=5")
    python.unlink()
    assert checkout.run("up", "TIMEOUT=5").stdout == first.stdout
    assert checkout.set_ups == ["set up"]


def test_words_and_exit_code_pass_through(checkout: Checkout) -> None:
    checkout.python("python3")
    done = checkout.run("up", "A=b c", "--", "--yes")
    taskfile = str(checkout.root / "Taskfile.yml")
    assert done.stdout.splitlines() == ["task", "-x", "-t", taskfile, "up", "A=b c", "--", "--yes"]
    assert done.returncode == 6


def test_odin_is_the_same_door_to_the_command_line(checkout: Checkout) -> None:
    checkout.python("python3")
    done = checkout.run("config", "check", program="odin")
    assert done.stdout.splitlines() == ["odin", "config", "check"]
    assert checkout.set_ups == ["set up"]


@pytest.mark.parametrize(
    ("program", "words", "asked"),
    [
        ("task", ["check"], "set up --dev"),
        ("task", ["-v", "check"], "set up --dev"),
        ("task", ["up", "--", "check"], "set up"),
        ("odin", ["check"], "set up --dev"),
        ("odin", ["config", "check"], "set up"),
    ],
)
def test_only_check_wants_the_development_packages(
    checkout: Checkout, program: str, words: list[str], asked: str
) -> None:
    checkout.python("python3")
    checkout.run(*words, program=program)
    assert checkout.set_ups == [asked]


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_sets_up_again(checkout: Checkout, changed: str) -> None:
    checkout.python("python3")
    checkout.run("up")
    (checkout.root / changed).write_text("newer\n")
    checkout.run("up")
    assert checkout.set_ups == ["set up", "set up"]


def test_a_moved_checkout_sets_up_again(checkout: Checkout) -> None:
    checkout.python("python3")
    checkout.run("up")
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    checkout.run("up")
    assert checkout.set_ups == ["set up", "set up"]


def test_a_failed_set_up_ends_the_call(checkout: Checkout) -> None:
    checkout.python("python3")
    (checkout.root / "broken").touch()
    done = checkout.run("up")
    assert (done.returncode, done.stdout) == (3, "")


# ── with a real installation ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of this checkout as git would clone it, with what is not committed yet."""
    root = tmp_path / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name, follow_symlinks=False)
    return root


@pytest.fixture
def run_clean(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts `./task` of a clone with an empty home."""
    home = tmp_path / "home"
    home.mkdir()

    def start(clone: Path, *words: str, **environ: str) -> subprocess.Popen[str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("ODIN_", "VIRTUAL_"))}
        return subprocess.Popen(
            [str(clone / "task"), *words],
            env=kept | {"HOME": str(home)} | environ,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    return start


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_two_first_calls_at_once_both_work(
    clone: Path, run_clean: Callable[..., subprocess.Popen[str]]
) -> None:
    calls = [run_clean(clone, "--version") for _ in range(2)]
    outputs = [call.communicate(timeout=280) for call in calls]
    assert [call.returncode for call in calls] == [0, 0], outputs
    talk = "".join(err for _, err in outputs)
    assert talk.count("Setting up .venv (once) …") == 1
    assert all(out.startswith("3.") for out, _ in outputs)
    assert subprocess.run([clone / "odin", "--version"], check=False).returncode == 0


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_an_unreachable_index_is_told(clone: Path, run_clean: Callable[..., subprocess.Popen[str]]) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    call = run_clean(
        clone, "up", PIP_INDEX_URL=nowhere, PIP_FIND_LINKS="", UV_HTTP_RETRIES="0", UV_DEFAULT_INDEX=nowhere
    )
    out, err = call.communicate(timeout=110)
    assert (call.returncode, out) == (3, "")
    assert "the package index cannot be reached" in err
    assert str(clone / ".task" / "setup.log") in err
    assert not (clone / ".venv" / "made-from").exists()
