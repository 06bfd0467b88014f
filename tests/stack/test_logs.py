"""Log files read back: parsed, filtered, merged, followed."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.errors import OdinError
from odin_ws.stack.logs import (
    Filter,
    follow_lines,
    last_messages,
    make_filter,
    parse_line,
    parse_since,
    read_lines,
    tail_lines,
)

NOW = datetime(2026, 11, 24, 14, 30).timestamp()


def entry(second: int, event: str, level: str = "info", **fields: object) -> str:
    return json.dumps({"ts": f"2026-11-24T12:00:{second:02}+00:00", "level": level, "event": event, **fields})


@pytest.fixture
def write(tmp_path):
    def write(name: str, *lines: str):
        path = tmp_path / name
        path.write_text("".join(line + "\n" for line in lines))
        return path

    return write


def messages(lines):
    return [line.message for line in lines]


def test_a_line_shows_level_event_and_fields():
    line = parse_line("ws", entry(1, "listening", port=3005, why="two words", service="ws"), 0)
    assert line.message == 'INFO    listening  port=3005 why="two words"'
    assert line.time == datetime.fromisoformat("2026-11-24T12:00:01+00:00").timestamp()


def test_an_error_line_shows_its_exception():
    line = parse_line(
        "ws", entry(1, "crashed", "error", exception=[{"exc_type": "OSError", "exc_value": "disk"}]), 0
    )
    assert line.message == "ERROR   crashed  OSError: disk"


def test_a_foreign_line_belongs_to_the_moment_before_it():
    line = parse_line("ws", "ValueError: boom", 12.0)
    assert (line.time, line.level, line.message) == (12.0, "error", "ValueError: boom")


@given(st.text())
def test_no_line_is_too_odd_to_show(text):
    assert parse_line("ws", text, 1.0).service == "ws"


def test_services_are_merged_by_time(write):
    ws = write("ws.log", entry(1, "a"), entry(3, "c"))
    log = write("redpanda.log", entry(2, "b"))
    lines = read_lines({"ws": [ws], "redpanda": [log]}, Filter())
    assert [line.service for line in lines] == ["ws", "redpanda", "ws"]


def test_rotated_files_come_first(write):
    old, new = write("ws.log.1", entry(1, "old")), write("ws.log", entry(2, "new"))
    assert messages(read_lines({"ws": [old, new]}, Filter())) == ["INFO    old", "INFO    new"]


def test_the_last_lines_of_all_services_together(write):
    ws, log = write("ws.log", entry(1, "a"), entry(4, "d")), write("r.log", entry(2, "b"), entry(3, "c"))
    assert messages(read_lines({"ws": [ws], "r": [log]}, Filter(tail=2))) == ["INFO    c", "INFO    d"]
    assert read_lines({"ws": [ws]}, Filter(tail=0)) == []


@pytest.mark.parametrize(
    ("since", "level", "grep", "expected"),
    [
        ("2026-11-24T12:00:02+00:00", "", "", ["b", "c"]),
        ("", "warning", "", ["c"]),
        ("", "", "^INFO +A", ["a"]),
        ("", "", "port=1", ["b"]),
    ],
)
def test_lines_can_be_chosen(write, since, level, grep, expected):
    path = write("ws.log", entry(1, "a"), entry(2, "b", port=1), entry(3, "c", "error"))
    lines = read_lines({"ws": [path]}, make_filter(since, level, grep, None, NOW))
    assert [line.fields["event"] for line in lines] == expected


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("5m", NOW - 300),
        ("1.5h", NOW - 5400),
        ("14:05", datetime(2026, 11, 24, 14, 5).timestamp()),
        ("14:05:09", datetime(2026, 11, 24, 14, 5, 9).timestamp()),
        ("23:00", datetime(2026, 11, 23, 23, 0).timestamp()),
        ("2026-11-24T10:00:00+00:00", datetime.fromisoformat("2026-11-24T10:00:00+00:00").timestamp()),
    ],
)
def test_a_time_can_be_said_in_many_ways(text, moment):
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize(
    ("since", "level", "grep", "tail"),
    [("soon", "", "", 1), ("25:00", "", "", 1), ("", "loud", "", 1), ("", "", "(", 1), ("", "", "", -1)],
)
def test_what_cannot_be_understood_is_told(since, level, grep, tail):
    with pytest.raises(OdinError) as told:
        make_filter(since, level, grep, tail, NOW)
    assert told.value.exit_code == 2
    assert "for example" in told.value.remedy


def test_following_gives_what_is_appended_and_survives_rotation(write, tmp_path):
    path = write("ws.log", entry(1, "before"))
    rounds = iter([False, False, False, True])
    stream = follow_lines({"ws": path}, Filter(), lambda: next(rounds))
    with path.open("a") as file:
        file.write(entry(2, "appended") + "\n" + entry(3, "half")[:10])
    assert next(stream).fields["event"] == "appended"
    path.rename(tmp_path / "ws.log.1")
    write("ws.log", entry(4, "rotated"))
    assert next(stream).fields["event"] == "rotated"
    assert list(stream) == []


def test_the_last_messages_of_a_service(write):
    path = write("ws.log", *(entry(n, f"e{n}") for n in range(9)))
    assert last_messages([path], 2) == ["INFO    e7", "INFO    e8"]
    assert last_messages([], 2) == []


def test_the_tail_of_a_file_that_is_not_there(tmp_path):
    assert tail_lines(tmp_path / "none", 3) == []
