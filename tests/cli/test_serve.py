"""`odin serve` runs the right thing, and leaves the process's record first."""

import os

import pytest

from odin_ws.stack.records import read_record


@pytest.mark.parametrize(
    ("name", "module", "service"),
    [
        ("log", "odin_ws.eventlog.keeper", "redpanda"),
        ("publisher", "odin_ws.publisher.server", "publisher"),
        ("gateway", "odin_ws.gateway.server", "ws"),
    ],
)
def test_a_service_is_recorded_with_its_settings_and_run(run, home, monkeypatch, name, module, service):
    ran = []
    monkeypatch.setattr(f"{module}.run", lambda settings, home: ran.append((settings, home)))
    monkeypatch.setenv("ODIN_GATEWAY_PORT", "4005")
    assert run("serve", name).code == 0
    record = read_record(home, service)
    assert record.pid == os.getpid()
    assert record.settings["gateway"]["port"] == 4005
    assert ran[0][0].gateway.port == 4005
