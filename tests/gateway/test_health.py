"""Health and readiness from figures alone."""

from dataclasses import replace

import pytest

from odin_ws.gateway.health import Figures, failing_checks, feed_status, health_document, health_status

WELL = Figures(
    log_connected=True,
    log_problem="",
    missing_topics=(),
    seconds_since_poll=0.1,
    lag_records=0,
    lag_seconds=0.0,
    age_seconds=0.5,
    connections=10,
    cpu_percent=20.0,
    memory_bytes=50_000_000,
    memory_limit_bytes=1_000_000_000,
    loop_lag_ms=2.0,
    draining=False,
    uptime_seconds=100.0,
)


def test_well_is_healthy_and_ready_and_has_the_fields_tools_parse(settings):
    document = health_document(WELL, settings)
    assert document["status"] == "healthy"
    assert document["healthy"] is True
    assert document["checks"]["capacity"]["current"] == 10
    assert document["checks"]["cpu"]["percentage"] == 20.0
    assert document["checks"]["memory"]["percentage"] == 5.0
    assert failing_checks(WELL, settings) == {}
    assert feed_status(WELL, settings) == "ok"


@pytest.mark.parametrize(
    ("change", "status", "ready", "feed", "reason"),
    [
        ({"log_connected": False, "log_problem": "gone"}, "unhealthy", False, "degraded", "gone"),
        ({"missing_topics": ("orders",)}, "unhealthy", False, "ok", "orders"),
        ({"seconds_since_poll": 9.0}, "unhealthy", False, "degraded", "9 s"),
        ({"lag_records": 50_000}, "unhealthy", False, "ok", "50000 records behind"),
        ({"age_seconds": 300.0}, "degraded", True, "stale", "no record for 300 s"),
        ({"connections": 19_000}, "degraded", True, "ok", "19000 of 20000"),
        ({"memory_bytes": 950_000_000}, "degraded", True, "ok", "memory"),
        ({"loop_lag_ms": 800.0}, "degraded", True, "ok", "800 ms late"),
        ({"draining": True}, "degraded", False, "draining", "going away"),
        ({"age_seconds": None}, "healthy", True, "ok", ""),
    ],
)
def test_each_trouble_shows(settings, change, status, ready, feed, reason):
    figures = replace(WELL, **change)
    found, reasons = health_status(figures, settings)
    assert found == status
    assert (failing_checks(figures, settings) == {}) is ready
    assert feed_status(figures, settings) == feed
    assert reason in "; ".join(reasons)


def test_zero_switches_a_limit_off(settings):
    free = settings.model_copy(update={"max_connections": 0, "stale_seconds": 0, "max_lag_records": 0})
    figures = replace(WELL, connections=10**6, age_seconds=10**6, lag_records=10**6)
    assert health_status(figures, free) == ("healthy", [])
