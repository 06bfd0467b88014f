"""A service writes one JSON object a line, whoever logs, from whichever thread, and no local variables."""

import io
import json
import logging
import sys
import threading
from datetime import datetime

import pytest
import structlog

from odin_ws.structured_log import LEVELS, get_log, start_logging


class Stderr(io.StringIO):
    """What a service has written since it was last read, as the documents of its lines."""

    def lines(self):
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def start(monkeypatch):
    """Starts logging as service `ws`, and gives back its stderr."""
    root = logging.getLogger()
    level, config = root.level, structlog.get_config()
    handlers = []

    def start(*levels):
        handlers.append(root.handlers[:])
        stderr = Stderr()
        monkeypatch.setattr(sys, "stderr", stderr)
        start_logging("ws", *levels)
        return stderr

    yield start
    root.handlers[:] = handlers[0]
    root.setLevel(level)
    structlog.configure(**config)


def test_a_line_has_time_level_service_event_and_fields(start):
    stderr = start()
    get_log("odin_ws.x").info("started", port=3005, name="é\nnext")
    (line,) = stderr.lines()
    assert datetime.fromisoformat(line.pop("ts")).utcoffset().total_seconds() == 0
    assert line == {"level": "info", "service": "ws", "event": "started", "port": 3005, "name": "é\nnext"}


def test_lines_of_other_libraries_look_the_same(start):
    stderr = start()
    logging.getLogger("uvicorn.error").warning("port %s is %s", 1, "taken")
    (line,) = stderr.lines()
    assert (line["service"], line["level"], line["event"]) == ("ws", "warning", "port 1 is taken")


def test_every_thread_names_the_service(start):
    stderr = start()
    log = get_log("odin_ws.feed")
    threads = [threading.Thread(target=lambda: [log.info("tick") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = stderr.lines()
    assert len(found) == 200
    assert {(line["service"], line["event"]) for line in found} == {("ws", "tick")}


def fail_with_a_secret():
    password = "".join(["hunter", "2"])
    raise ValueError(f"cannot log in with {len(password)} letters")


@pytest.mark.parametrize("get", [get_log, logging.getLogger])
def test_a_traceback_is_in_the_line_without_local_variables(start, get):
    stderr = start()
    log = get("odin_ws.y")
    try:
        fail_with_a_secret()
    except ValueError:
        log.exception("login failed")
    (line,) = stderr.lines()
    assert line["level"] == "error"
    (trace,) = line["exception"]
    assert trace["exc_type"] == "ValueError"
    assert trace["frames"][-1]["name"] == "fail_with_a_secret"
    assert "hunter2" not in json.dumps(line)
    assert "password" not in json.dumps(trace["frames"])


def test_a_field_that_json_does_not_know_is_written_all_the_same(start):
    stderr = start()
    get_log("odin_ws.z").info("odd", key=b"\xff", where={"a": object})
    (line,) = stderr.lines()
    assert line["key"] == repr(b"\xff")


def test_debug_lines_come_only_when_asked_for(start):
    stderr = start()
    get_log("odin_ws.a").debug("quiet")
    assert stderr.lines() == []
    stderr = start("debug")
    get_log("odin_ws.b").debug("loud")
    assert [line["level"] for line in stderr.lines()] == ["debug"]


def test_chatty_libraries_are_told_to_be_quiet(start):
    stderr = start()
    logging.getLogger("httpx").info("HTTP Request: GET …")
    assert stderr.lines() == []


def test_levels_are_those_of_the_lines(start):
    stderr = start("debug")
    log = get_log("odin_ws.c")
    for level in LEVELS:
        getattr(log, level)("x")
    assert tuple(line["level"] for line in stderr.lines()) == LEVELS


def test_before_logging_is_started_nothing_reaches_stdout(capsys, caplog):
    get_log("odin_ws.d").info("not for data", n=1)
    get_log("odin_ws.d").warning("careful", n=2)
    assert capsys.readouterr().out == ""
    assert "careful" in caplog.text
    assert "not for data" not in caplog.text
