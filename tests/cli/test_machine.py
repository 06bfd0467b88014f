"""doctor and clean."""

import json

from odin_ws.errors import ExitCode


def test_doctor_shows_every_check_and_starts_nothing(run, tmp_path):
    ran = run("doctor", "-o", "json")
    document = json.loads(ran.out)
    checks = {check["check"]: check["status"] for check in document["checks"]}
    assert {"python", "file descriptors", "state directory", "disk", "memory", "supervisor"} <= set(checks)
    assert not (tmp_path / "home").exists()


def test_doctor_ends_with_3_when_something_is_in_the_way(run, monkeypatch):
    monkeypatch.setenv("ODIN_GATEWAY_PROT", "1")
    ran = run("doctor")
    assert ran.code == ExitCode.PREFLIGHT
    assert "ODIN_GATEWAY_PORT" in ran.out


def test_clean_says_what_it_removed_and_what_it_kept(run, home):
    home.log_file.write_text("records")
    ran = run("clean")
    assert f"removed {home.logs}" in ran.err
    assert f"kept {home.data}" in ran.err
    document = json.loads(run("clean", "-o", "json").out)
    assert document["removed"] == []
