"""The task interface: its names, what each says about itself, its dependencies, and how a leaf is called.

Names and dependencies are read from go-task itself. Where a leaf is run, a stand-in for ./odin writes down
its arguments and environment, so what is checked is exactly what the command line would get.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from odin_ws.checkout.place import find_program

ROOT = Path(__file__).resolve().parents[1]

SHORT = {"up", "down", "health", "status", "urls", "check"}
SERVICES = ("redpanda", "publisher", "ws", "all")
ENVIRONMENT = {
    "delete": SERVICES,
    "start": SERVICES,
    "stop": SERVICES,
    "restart": SERVICES,
    "rebuild": ("publisher", "ws", "all"),
    "logs": SERVICES,
    "health": (*SERVICES, "detailed"),
    "deploy": ("setup", "reset", "rebuild-code"),
    "stats": ("publisher", "ws", "ips", "topics", "consume"),
}
SHARED = {
    "shared:build:wheel",
    "shared:build:lock",
    "shared:utils:archive",
    "shared:utils:doctor",
    "shared:utils:clean",
}
LOCAL = {f"local:{verb}:{name}" for verb, names in ENVIRONMENT.items() for name in names}
VARIABLES = (
    *("FORMAT", "TIMEOUT", "YES", "SINCE", "TAIL", "FOLLOW", "GREP"),
    *("LEVEL", "TOPIC", "NUM", "FROM", "KEY"),
)
#: Public tasks that are no leaf of their own but another name for one.
SAME_AS = {"up": "local deploy setup", "health": "local health all"}
LEAVES = {
    "down": "local down",
    "status": "local status",
    "urls": "local urls",
    "check": "check",
    "shared:build:wheel": "build wheel",
    "shared:build:lock": "build lock",
    "shared:utils:doctor": "doctor",
    "shared:utils:clean": "clean",
    **{name: name.replace(":", " ") for name in LOCAL},
    **SAME_AS,
}

#: What a dependency puts before a leaf when all are called in the order of the alphabet: it runs once a call.
FIRST = {"local:start:publisher": ["local start redpanda"]}


@cache
def listing() -> dict[str, dict[str, Any]]:
    done = run_task("--list-all", "--json", "--no-status")
    return {task["name"]: task for task in json.loads(done.stdout)["tasks"]}


def run_task(*words: str, root: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    return subprocess.run(
        [find_program("task"), "-x", "-t", str(root / "Taskfile.yml"), *words],
        env=kept | environ, cwd=root, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def odin_stand_in(root: Path, program: str) -> None:
    """A copy of the task files with `program` in the place of ./odin."""
    for name in ("Taskfile.yml", ".taskrc.yml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "taskfiles", root / "taskfiles")
    (root / "odin").write_text(program)
    (root / "odin").chmod(0o755)


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Runs a task of a copy of the task files and returns the calls that reached ./odin, in order."""
    root = tmp_path / "a checkout"
    root.mkdir()
    odin_stand_in(
        root,
        f"#!{sys.executable} -IS\n"
        "import json, os, pathlib, sys\n"
        f"said = {{name: os.environ[name] for name in {VARIABLES!r} if os.environ.get(name)}}\n"
        "with open(pathlib.Path(__file__).with_name('calls'), 'a') as calls:\n"
        "    print(json.dumps({'words': sys.argv[1:], 'said': said}), file=calls)\n"
        "print('out')\n",
    )

    def call(*words: str, **environ: str) -> list[dict[str, Any]]:
        (root / "calls").unlink(missing_ok=True)
        done = run_task(*words, root=root, **environ)
        assert done.returncode == 0, done.stderr
        assert set(done.stdout.split()) == {"out"}
        return [json.loads(line) for line in (root / "calls").read_text().splitlines()]

    return call


def test_the_names_are_those_of_the_contract() -> None:
    assert set(listing()) - {"default", "*"} == SHORT | LOCAL | SHARED


def test_every_public_task_says_what_it_does_in_one_line() -> None:
    for name in SHORT | LOCAL | SHARED:
        desc = listing()[name]["desc"]
        assert desc, name
        assert len(desc) <= 80, name
        assert "\n" not in desc, name


def test_every_public_task_has_a_manual() -> None:
    missing = [
        name for name in SHORT | LOCAL | SHARED if name not in SAME_AS and not listing()[name]["summary"]
    ]
    assert missing == ([] if "health" in SAME_AS else ["health"])


def test_a_leaf_is_one_line_into_the_command_line(call: Callable[..., list[dict[str, Any]]]) -> None:
    names = sorted(set(LEAVES) - {"local:start:redpanda"})
    reached = [" ".join(each["words"]) for each in call(*names)]
    assert reached == [words for name in names for words in (*FIRST.get(name, ()), LEAVES[name])]
    assert call("local:start:redpanda")[0]["words"] == ["local", "start", "redpanda"]


@pytest.mark.parametrize("name", ["publisher", "ws"])
def test_what_needs_the_log_starts_it_first(name: str, call: Callable[..., list[dict[str, Any]]]) -> None:
    words = [" ".join(each["words"]) for each in call(f"local:start:{name}")]
    assert words == ["local start redpanda", f"local start {name}"]


def test_variables_reach_the_command_line(call: Callable[..., list[dict[str, Any]]]) -> None:
    said = {name: f"it's {name} of $HOME" for name in VARIABLES}
    words = [f"{name}={text}" for name, text in said.items()]
    assert call("local:logs:ws")[0]["said"] == {}
    assert call("local:logs:ws", *words)[0]["said"] == said
    assert call("local:logs:ws", **said)[0]["said"] == said
    assert call("up", *words, **dict.fromkeys(VARIABLES, "other"))[0]["said"] == said


def test_arguments_after_the_dashes_reach_the_command_line(call: Callable[..., list[dict[str, Any]]]) -> None:
    assert call("local:delete:all", "--", "--yes", "a b")[0]["words"] == [
        "local",
        "delete",
        "all",
        "--yes",
        "a b",
    ]


def test_archive_takes_a_file_from_where_one_stands(
    call: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    (words,) = (each["words"] for each in call("shared:utils:archive", "FILE=scripts/local/it's.sh"))
    assert words == ["archive", str(tmp_path / "a checkout" / "scripts/local/it's.sh")]


def test_archive_without_a_file_is_refused() -> None:
    done = run_task("shared:utils:archive")
    assert done.returncode != 0
    assert "FILE" in done.stderr


def test_a_dependency_prints_nothing_to_stdout(tmp_path: Path) -> None:
    odin_stand_in(tmp_path, "#!/bin/sh\necho $*\n")
    done = run_task("local:start:ws", root=tmp_path)
    assert (done.stdout, done.stderr) == ("local start ws\n", "local start redpanda\n")


def test_an_exit_code_passes_through_a_dependency(tmp_path: Path) -> None:
    odin_stand_in(tmp_path, "#!/bin/sh\nexit 4\n")
    assert run_task("local:start:ws", root=tmp_path).returncode == 4
    assert run_task("up", root=tmp_path).returncode == 4


def test_an_unknown_name_is_handed_to_the_suggestion(call: Callable[..., list[dict[str, Any]]]) -> None:
    assert call("local:strat:ws")[0]["words"] == ["tasks", "--unknown", "local:strat:ws"]


def test_retired_task_files_are_not_included() -> None:
    files = {Path(task["location"]["taskfile"]).relative_to(ROOT) for task in listing().values()}
    assert not [path for path in files if "old" in path.parts]
    assert len(files) == 7
