"""The real services through the real command line: exit codes, one JSON document, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from odin_ws.errors import ExitCode
from odin_ws.home import Home
from odin_ws.stack.records import read_record, start_time
from started_platform import StartedPlatform, started_platform
from support import free_port, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedPlatform]:
    with started_platform(tmp_path_factory.mktemp("stack")) as platform:
        yield platform


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[StartedPlatform]:
    """A platform that is not started: its command line on an empty home."""
    gateway, publisher = free_port(), free_port()
    environ = {name: text for name, text in os.environ.items() if not name.startswith("ODIN_")}
    environ |= {
        "ODIN_HOME": str(tmp_path / "home"),
        "ODIN_GATEWAY_PORT": str(gateway),
        "ODIN_PUBLISHER_PORT": str(publisher),
        "NO_COLOR": "1",
    }
    stopped = StartedPlatform(environ, gateway, publisher)
    yield stopped
    stopped.odin("local", "delete", "all", "--yes")


def home_of(platform: StartedPlatform) -> Home:
    return Home(Path(platform.environ["ODIN_HOME"]))


def processes_of(platform: StartedPlatform) -> list[int]:
    """Recorded processes: services and supervisord."""
    records = (
        read_record(home_of(platform), name) for name in ("redpanda", "publisher", "ws", "supervisord")
    )
    return [record.pid for record in records if record is not None]


def row(platform: StartedPlatform, name: str) -> dict[str, object]:
    document = json.loads(platform.odin("local", "health", "all", "-o", "json").stdout)
    return next(service for service in document["services"] if service["service"] == name)


def pid_of(platform: StartedPlatform, name: str) -> int:
    record = read_record(home_of(platform), name)
    assert record is not None
    return record.pid


def test_all_is_healthy_and_a_second_up_changes_nothing(platform: StartedPlatform) -> None:
    before = processes_of(platform)
    again = platform.odin("local", "up", "-o", "json")
    document = json.loads(again.stdout)
    assert again.returncode == 0
    assert document["status"] == "healthy"
    assert all(url["reachable"] for url in document["urls"])
    assert processes_of(platform) == before


@pytest.mark.parametrize("name", ["publisher", "ws"])
def test_a_killed_service_is_told_truly_and_comes_back(platform: StartedPlatform, name: str) -> None:
    first = pid_of(platform, name)
    os.kill(first, signal.SIGKILL)
    seen = platform.odin("local", "health", name)
    assert seen.returncode == ExitCode.UNHEALTHY
    assert "terminated by SIGKILL" in seen.stdout
    assert f"./task local:logs:{name}" in seen.stderr
    wait_until(lambda: row(platform, name)["health"] == "healthy", f"{name} healthy again")
    assert pid_of(platform, name) != first


def test_a_frozen_service_is_unhealthy_and_the_command_ends(platform: StartedPlatform) -> None:
    pid = pid_of(platform, "ws")
    os.kill(pid, signal.SIGSTOP)
    try:
        seen = platform.odin("--set", "stack.probe_timeout_seconds=0.5", "local", "health", "all")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert seen.returncode == ExitCode.UNHEALTHY
    assert "within 0.5 s" in seen.stdout
    assert seen.stdout.count(" healthy ") == 2


def test_every_reading_command_gives_one_document(platform: StartedPlatform) -> None:
    commands = [
        "local status", "local health all", "local health detailed", "local urls", "local logs all",
        "local stats publisher", "local stats ws", "local stats ips", "local stats topics",
        "local stats consume", "local topics create", "doctor",
    ]  # fmt: skip
    for command in commands:
        ran = platform.odin(*command.split(), "-o", "json")
        assert ran.returncode == 0, (command, ran.stderr)
        assert json.loads(ran.stdout), command


def test_a_probe_finds_the_settings_of_the_start_not_those_of_now(platform: StartedPlatform) -> None:
    ran = platform.odin("--set", f"gateway.port={free_port()}", "local", "start", "ws")
    assert ran.returncode == 0
    assert "./task local:restart:ws" in ran.stderr


def test_up_ends_when_its_output_is_piped(platform: StartedPlatform) -> None:
    command = f"'{sys.executable}' -m odin_ws local up 2>&1 | cat"
    assert platform.run("sh", "-c", command, seconds=30).returncode == 0


def test_a_port_in_use_is_exit_3_and_names_the_owner(stopped: StartedPlatform) -> None:
    with socket.create_server(("127.0.0.1", stopped.gateway_port)):
        ran = stopped.odin("local", "up", "-o", "json")
    assert ran.returncode == ExitCode.PREFLIGHT
    assert f"pid {os.getpid()}" in json.loads(ran.stdout)["error"]["message"]
    assert processes_of(stopped) == []


def test_a_service_that_exits_is_exit_4_with_its_last_lines(stopped: StartedPlatform) -> None:
    data = home_of(stopped).create().data
    (data / "eventlog.sqlite").write_bytes(b"this is no database" * 100)
    ran = stopped.odin("local", "up")
    assert ran.returncode == ExitCode.START_FAILED
    assert "redpanda (embedded log) did not start" in ran.stderr
    assert "its log ends with" in ran.stderr
    assert "./task local:logs:redpanda" in ran.stderr
    seen = row(stopped, "redpanda")
    assert (seen["state"], seen["exit_code"]) == ("failed_to_start", ExitCode.UNHEALTHY)


def test_a_timeout_is_exit_5_and_names_what_is_waited_for(stopped: StartedPlatform) -> None:
    ran = stopped.odin("local", "up", "--timeout", "0.05")
    assert ran.returncode == ExitCode.TIMEOUT
    assert "redpanda (embedded log): " in ran.stderr
    assert "ws: waits for redpanda" in ran.stderr
    assert stopped.odin("local", "up").returncode == 0


def test_nothing_started_is_exit_7_and_leaves_no_trace(stopped: StartedPlatform) -> None:
    assert stopped.odin("local", "health", "all").returncode == ExitCode.NOT_RUNNING
    assert stopped.odin("local", "stats", "ws").returncode == ExitCode.NOT_RUNNING
    assert stopped.odin("local", "down").returncode == 0
    assert not home_of(stopped).root.exists()


def test_a_usage_error_is_exit_2(stopped: StartedPlatform) -> None:
    assert stopped.odin("local", "start", "wss").returncode == ExitCode.USAGE
    assert stopped.odin("local", "delete", "all").returncode == 0
    home_of(stopped).create()
    ran = stopped.odin("local", "delete", "all")
    assert ran.returncode == ExitCode.USAGE
    assert "YES=1" in ran.stderr


def test_an_interruption_is_exit_130_and_nothing_is_half_recorded(stopped: StartedPlatform) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "odin_ws", "local", "up"],
        env=stopped.environ, stderr=subprocess.PIPE, text=True,
    ) as up:  # fmt: skip
        assert up.stderr is not None
        up.stderr.readline()
        up.send_signal(signal.SIGINT)
        said = up.stderr.read()
    assert up.returncode == ExitCode.INTERRUPTED
    assert "./task down stops it" in said
    assert stopped.odin("local", "up").returncode == 0
    pids = processes_of(stopped)
    assert len(pids) == 4
    stopped.odin("local", "down")
    assert not any(start_time(pid) for pid in pids)


def test_two_ups_at_once_end_in_one_platform(stopped: StartedPlatform) -> None:
    command = [sys.executable, "-m", "odin_ws", "local", "up"]
    with (
        subprocess.Popen(command, env=stopped.environ, stdout=-3, stderr=subprocess.PIPE) as one,
        subprocess.Popen(command, env=stopped.environ, stdout=-3, stderr=subprocess.PIPE) as two,
    ):
        said = one.communicate()[1] + two.communicate()[1]
    assert (one.returncode, two.returncode) == (0, 0)
    assert b"waiting for `odin local up`" in said


def test_a_killed_supervisord_is_no_obstacle_to_up_down_or_status(stopped: StartedPlatform) -> None:
    for words, code in [(["up"], 0), (["status"], ExitCode.NOT_RUNNING), (["down"], 0)]:
        assert stopped.odin("local", "up").returncode == 0
        orphans = processes_of(stopped)
        os.kill(pid_of(stopped, "supervisord"), signal.SIGKILL)
        ran = stopped.odin("local", *words)
        assert ran.returncode == code
        assert "left running: redpanda, publisher, ws" in ran.stderr
        assert not any(start_time(pid) for pid in orphans)


def test_down_keeps_data_and_delete_leaves_nothing(stopped: StartedPlatform) -> None:
    stopped.odin("local", "up")
    pids = processes_of(stopped)
    stopped.odin("local", "down")
    home = home_of(stopped)
    assert home.log_file.exists()
    assert not home.run.exists()
    assert not any(start_time(pid) for pid in pids)
    for port in (stopped.gateway_port, stopped.publisher_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    stopped.odin("local", "delete", "all", "--yes")
    assert not home.root.exists()


def test_restart_of_the_log_begins_a_new_one_and_brings_all_back(stopped: StartedPlatform) -> None:
    stopped.odin("local", "up")
    time.sleep(0.3)
    ran = stopped.odin("local", "restart", "redpanda", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert stopped.odin("local", "health", "all").returncode == 0
