"""What the documents say holds: tasks and commands exist, blocks are valid, and the marked ones are run.

A block is run when the line before it is one of these remarks:
    <!-- run -->                it ends by itself, with exit code 0
    <!-- run until output -->   it goes on for ever: it must print a line, then it is ended
Runs happen in the checkout against a platform of their own; the default ports in a block become its ports.
"""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import typer
from typer.testing import CliRunner

from odin_ws.checkout.place import find_program
from odin_ws.checkout.tasklist import read_tasks
from odin_ws.cli.app import app
from odin_ws.config import load_config
from started_platform import ROOT, StartedPlatform, started_platform

FENCE = re.compile(
    r"(?:^<!-- (?P<mark>run|run until output) -->\n+)?"
    r"^```(?P<language>[a-z]+)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: A task as documents write it: `local:start:ws`; names that end in … or * are families.
TASK_NAME = re.compile(r"(?<![\w:./-])(?:local|shared):[a-z]+(?::[a-z-]+)+(?![\w:*…])")
LAUNCHED = re.compile(r"(?:\./task|(?<![\w./-])task) ((?:[a-z]+(?::[a-z-]+)*)(?![\w.…*]))")
COMMAND = re.compile(r"(?:\./|(?<![\w./-]))odin ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")
SHELLS = ("sh", "bash", "console")


class Block(NamedTuple):
    """A fenced block of a document."""

    place: str
    language: str
    text: str
    mark: str | None


def documents() -> list[Path]:
    found = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
    return sorted(path for path in found if path.is_file())


def blocks_of(text: str, name: str) -> list[Block]:
    return [
        Block(
            f"{name}:{text.count(chr(10), 0, match.start('language')) + 1}",
            match["language"],
            match["text"],
            match["mark"],
        )
        for match in FENCE.finditer(text)
    ]


def blocks(*languages: str, marked: bool = False) -> list[Block]:
    every = [
        block for path in documents() for block in blocks_of(path.read_text(), str(path.relative_to(ROOT)))
    ]
    return [block for block in every if block.language in languages and (block.mark or not marked)]


def by_place(block: Block) -> str:
    return block.place


def code_of(text: str) -> str:
    """What a document shows as code: its shell blocks without remarks, and its `spans`."""
    shell = [
        re.sub(r"(^|\s)#.*$", "", block.text, flags=re.MULTILINE)
        for block in blocks_of(text, "")
        if block.language in SHELLS
    ]
    return "\n".join(shell + re.findall(r"`([^`\n]+)`", FENCE.sub("", text)))


@cache
def task_names() -> frozenset[str]:
    return frozenset(task.name for task in read_tasks(find_program("task"), ROOT)) | {"default"}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_task_that_is_named_exists(document: Path) -> None:
    code = code_of(document.read_text())
    named = set(TASK_NAME.findall(code)) | set(LAUNCHED.findall(code))
    assert named - task_names() == set()


def test_every_task_is_documented() -> None:
    code = code_of((ROOT / "docs" / "tasks.md").read_text())
    families = set(
        re.findall(
            r"^\| `((?:local|shared):[a-z]+:)…` \| ([^|]+) \|",
            (ROOT / "docs" / "tasks.md").read_text(),
            re.MULTILINE,
        )
    )
    named = {family + name for family, names in families for name in re.findall(r"`([a-z]+)`", names)}
    named |= set(re.findall(r"[a-z:-]+", code))
    assert task_names() - named == {"default"}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(document: Path) -> None:
    for words in set(COMMAND.findall(code_of(document.read_text()))):
        problem = problem_with(words.split())
        assert problem is None, f"odin {words}: {problem}"


def problem_with(words: list[str]) -> str | None:
    """What is wrong with words after `odin`: a noun or verb that does not exist, or help that fails."""
    command = typer.main.get_command(app)
    path: list[str] = []
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return f"no {words[0]!r} among {', '.join(sorted(command.commands))}"
        command = command.commands[words[0]]
        path.append(words.pop(0))
    done = CliRunner().invoke(app, [*path, "--help"])
    return None if done.exit_code == 0 else done.output


@pytest.mark.parametrize("block", blocks("json"), ids=by_place)
def test_json_is_valid(block: Block) -> None:
    try:
        json.loads(block.text)
    except ValueError:
        for line in block.text.splitlines():
            json.loads(line)


@pytest.mark.parametrize("block", blocks("toml"), ids=by_place)
def test_toml_is_a_valid_configuration(block: Block, tmp_path: Path) -> None:
    assert tomllib.loads(block.text)
    (tmp_path / "odin.toml").write_text(block.text)
    load_config(tmp_path / "odin.toml", environ={})


@pytest.mark.parametrize("block", blocks("python"), ids=by_place)
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec")


@pytest.mark.parametrize("block", blocks(*SHELLS), ids=by_place)
def test_shell_parses(block: Block) -> None:
    done = subprocess.run(["sh", "-n"], input=script_of(block), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def script_of(block: Block) -> str:
    """The commands of a block; in a console block they stand after `$ `, the rest is what they print."""
    if block.language != "console":
        return block.text
    return "\n".join(line[2:] for line in block.text.splitlines() if line.startswith("$ "))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedPlatform]:
    with started_platform(tmp_path_factory.mktemp("home") / "odin") as platform:
        yield platform


@pytest.mark.integration
@pytest.mark.timeout(180)
@pytest.mark.parametrize("block", blocks("python", *SHELLS, marked=True), ids=by_place)
def test_a_marked_block_runs(block: Block, platform: StartedPlatform) -> None:
    text = platform.here(script_of(block))
    command = [sys.executable, "-u", "-c", text] if block.language == "python" else ["sh", "-eu", "-c", text]
    if block.mark == "run":
        done = platform.run(*command, seconds=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return
    running = subprocess.Popen(command, cwd=ROOT, env=platform.environ, stdout=subprocess.PIPE, text=True)
    assert running.stdout
    with running:
        try:
            assert running.stdout.readline().strip(), "it ended without a word"
        finally:
            running.terminate()


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents()
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", FENCE.sub("", path.read_text()))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert dead == []


def test_the_reading_of_documents_itself() -> None:
    text = (
        "Run `./task up` or `local:stop:ws`, later `gcp:…`; `local:start:…` is a family.\n\n<!-- run -->\n\n"
        "```sh\n./task helth A=b  # task remark\nodin config show\n```\n\n```json\n{}\n```\n"
    )
    assert [(block.language, block.mark) for block in blocks_of(text, "x")] == [("sh", "run"), ("json", None)]
    assert blocks_of(text, "x")[0].place == "x:5"
    code = code_of(text)
    assert TASK_NAME.findall(code) == ["local:stop:ws"]
    assert LAUNCHED.findall(code) == ["helth", "up"]
    assert COMMAND.findall(code) == ["config show"]
    assert problem_with(["config", "show"]) is None
    assert "no 'shwo' among" in str(problem_with(["config", "shwo"]))
    assert shlex.split(script_of(Block("x", "console", "$ echo a\na\n", None))) == ["echo", "a"]
