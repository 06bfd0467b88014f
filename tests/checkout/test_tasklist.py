"""The list of tasks: what is public, how it is grouped, and what a wrong name was perhaps meant to be."""

import json
from pathlib import Path

import pytest

from odin_ws.checkout.tasklist import TaskLine, grouped, nearest, public_tasks, read_tasks
from odin_ws.errors import OdinError

NAMES = ["up", "health", "status", "local:start:all", "local:start:ws", "local:stop:ws", "local:health:all"]


def test_a_task_without_description_is_internal() -> None:
    listing = {"tasks": [{"name": "up", "desc": "Start"}, {"name": "default", "desc": ""}]}
    assert public_tasks(json.dumps(listing)) == [TaskLine("up", "Start")]


def test_groups_come_in_reading_order() -> None:
    names = [
        "shared:utils:clean",
        "local:stats:ws",
        "gcp:start:ws",
        "local:start:ws",
        "local:start:all",
        "up",
        "x:y",
    ]
    groups = grouped([TaskLine(name, "d") for name in names])
    assert [(group.title, [task.name for task in group.tasks]) for group in groups] == [
        ("short", ["up"]),
        ("local:start", ["local:start:all", "local:start:ws"]),
        ("local:stats", ["local:stats:ws"]),
        ("gcp:start", ["gcp:start:ws"]),
        ("x", ["x:y"]),
        ("shared:utils", ["shared:utils:clean"]),
    ]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("helth", "health"),
        ("staus", "status"),
        ("local:strat:ws", "local:start:ws"),
        ("start:ws", "local:start:ws"),
        ("stop", "local:stop:ws"),
        ("local:health:al", "local:health:all"),
    ],
)
def test_the_nearest_name_is_suggested(wrong: str, meant: str) -> None:
    assert nearest(wrong, NAMES)[0] == meant


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert nearest("zzzzqqqq", NAMES) == []
    assert len(nearest("local", NAMES)) == 3


def test_what_go_task_says_is_told(tmp_path: Path) -> None:
    program = tmp_path / "task"
    program.write_text("#!/bin/sh\necho line 3 is wrong >&2\nexit 104\n")
    program.chmod(0o755)
    with pytest.raises(OdinError, match="line 3 is wrong"):
        read_tasks(str(program), tmp_path)
