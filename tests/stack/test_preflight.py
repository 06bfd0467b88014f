"""Preflight: all problems in one list, and what to do about each."""

import os
import resource
import socket

import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import GatewaySettings, Settings, StackSettings
from odin_ws.stack import preflight
from odin_ws.stack.preflight import (
    Finding,
    check_all,
    check_disk,
    check_files,
    check_home,
    check_memory,
    check_port,
    check_python,
    owner_of_port,
    require,
    versions,
)
from odin_ws.stack.services import SERVICES, Endpoint, select

(WS,) = select(SERVICES, "ws")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_names_its_owner_and_another_port(listener):
    finding = check_port(WS, Endpoint("all", "127.0.0.1", listener))
    assert finding.status == "problem"
    assert f"pid {os.getpid()}" in finding.text
    assert "ODIN_GATEWAY_PORT=" in finding.remedy


def test_a_port_of_a_running_service_is_fine(listener, tmp_path):
    settings = Settings(gateway=GatewaySettings(port=listener))
    checks = [f.check for f in check_all(settings, Home(tmp_path), (WS,), running=["ws"])]
    assert f"port {listener}" not in checks
    assert f"port {listener}" in [f.check for f in check_all(settings, Home(tmp_path), (WS,))]


def test_an_address_of_another_machine_is_a_problem():
    finding = check_port(WS, Endpoint("all", "192.0.2.1", 4005))
    assert finding.status == "problem"
    assert "192.0.2.1" in finding.text


def test_a_free_port_has_no_owner():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert owner_of_port(probe.getsockname()[1]) == "another process, which this user may not see"


@pytest.mark.parametrize(
    ("hard", "status"),
    [(100, "problem"), (1024, "warning"), (65_536, "ok"), (resource.RLIM_INFINITY, "ok")],
)
def test_file_descriptors_by_the_hard_limit(hard, status):
    finding = check_files(100, hard)
    assert finding.status == status
    assert bool(finding.remedy) == (status != "ok")


def test_an_old_python_is_a_problem():
    assert check_python((3, 10, 2)).status == "problem"
    assert check_python((3, 11, 0)).status == "ok"


def test_a_home_below_a_file_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    assert check_home(Home(tmp_path / "file" / "home")).status == "problem"


def test_looking_at_a_home_makes_nothing(tmp_path):
    assert check_home(Home(tmp_path / "home")).status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_is_a_problem_unless_nobody_asks(tmp_path):
    assert check_disk(Home(tmp_path), 1e12).status == "problem"
    assert check_disk(Home(tmp_path), 0).status == "ok"


def test_memory_is_never_a_problem():
    assert check_memory().status in ("ok", "warning")


def test_all_problems_stand_in_one_failure():
    problems = [
        Finding("port 1", "problem", "in use", "end it"),
        Finding("disk", "problem", "full", "free some"),
    ]
    with pytest.raises(OdinError) as told:
        require([Finding("python", "ok", "3.11"), *problems])
    assert told.value.exit_code is ExitCode.PREFLIGHT
    assert "2 problems" in told.value.message
    assert "port 1: in use" in told.value.message
    assert "disk: full" in told.value.message
    assert "try: end it" in told.value.message


def test_warnings_prevent_nothing():
    require([Finding("memory", "warning", "little")])


def test_a_wrong_configuration_stands_in_the_list(tmp_path):
    settings = Settings(stack=StackSettings(min_free_disk_mb=0))
    findings = check_all(settings, Home(tmp_path), (), (), ["gateway.prot: is no setting"])
    assert [f.text for f in findings if f.status == "problem"] == ["gateway.prot: is no setting"]


def test_a_missing_package_is_a_problem(monkeypatch):
    monkeypatch.setattr(preflight, "PACKAGES", ("supervisor", "no-such-package"))
    assert [finding.status for finding in versions()] == ["ok", "problem"]
