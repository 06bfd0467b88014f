"""Is the gateway well? Pure: figures in, the documents of /livez, /readyz and /health out.

`healthy` serves as it should; `degraded` serves, but near a limit or with an old feed; `unhealthy` does
not serve what clients came for. Readiness is stricter: whether new clients should be sent here now.
"""

from dataclasses import dataclass
from typing import Any, Literal

from odin_ws.settings import GatewaySettings

Status = Literal["healthy", "degraded", "unhealthy"]

NEAR_LIMIT_PERCENT = 90.0
LOOP_LAG_LIMIT_MS = 500.0
#: A feed thread that has not polled for so long is frozen, though the process lives.
FROZEN_SECONDS = 5.0


@dataclass(frozen=True)
class Figures:
    """What health is judged from, as of now."""

    log_connected: bool
    log_problem: str
    missing_topics: tuple[str, ...]
    seconds_since_poll: float
    lag_records: int
    lag_seconds: float
    age_seconds: float | None
    connections: int
    cpu_percent: float
    memory_bytes: int
    memory_limit_bytes: int
    loop_lag_ms: float
    draining: bool
    uptime_seconds: float


def feed_status(figures: Figures, settings: GatewaySettings) -> str:
    """The feed's state as clients are told it: ok, stale, degraded or draining."""
    if figures.draining:
        return "draining"
    if not figures.log_connected or figures.seconds_since_poll > FROZEN_SECONDS:
        return "degraded"
    age = figures.age_seconds
    if settings.stale_seconds and age is not None and age > settings.stale_seconds:
        return "stale"
    return "ok"


def failing_checks(figures: Figures, settings: GatewaySettings) -> dict[str, str]:
    """What keeps the gateway from being ready: check → reason; empty when it is."""
    failing = {}
    if figures.draining:
        failing["draining"] = "the server is going away"
    if not figures.log_connected:
        failing["log"] = figures.log_problem or "the event log cannot be read"
    elif figures.missing_topics:
        failing["topics"] = "not there yet: " + ", ".join(figures.missing_topics)
    elif figures.seconds_since_poll > FROZEN_SECONDS:
        failing["feed"] = f"has not read the log for {figures.seconds_since_poll:.0f} s"
    elif settings.max_lag_records and figures.lag_records > settings.max_lag_records:
        failing["feed"] = (
            f"{figures.lag_records} records behind, at most {settings.max_lag_records} is caught up"
        )
    return failing


def health_status(figures: Figures, settings: GatewaySettings) -> tuple[Status, list[str]]:
    """The overall status, and why it is not healthy."""
    failing = failing_checks(figures, settings)
    broken = [f"{name}: {reason}" for name, reason in failing.items() if name in ("log", "feed", "topics")]
    if broken:
        return "unhealthy", broken
    reasons = [f"{name}: {reason}" for name, reason in failing.items()]
    if feed_status(figures, settings) == "stale":
        reasons.append(f"feed: no record for {figures.age_seconds:.0f} s")
    if _capacity_percent(figures, settings) >= NEAR_LIMIT_PERCENT:
        reasons.append(f"capacity: {figures.connections} of {settings.max_connections} connections")
    if _memory_percent(figures) >= NEAR_LIMIT_PERCENT:
        reasons.append(f"memory: {_memory_percent(figures):.0f} % used")
    if figures.loop_lag_ms >= LOOP_LAG_LIMIT_MS:
        reasons.append(f"loop: {figures.loop_lag_ms:.0f} ms late")
    return ("degraded", reasons) if reasons else ("healthy", [])


def health_document(figures: Figures, settings: GatewaySettings) -> dict[str, Any]:
    """The body of /health."""
    status, reasons = health_status(figures, settings)
    return {
        "status": status,
        "healthy": status == "healthy",
        "reasons": reasons,
        "checks": {
            "log": {
                "connected": figures.log_connected,
                "problem": figures.log_problem,
                "missing_topics": list(figures.missing_topics),
            },
            "capacity": {
                "current": figures.connections,
                "max": settings.max_connections,
                "percentage": round(_capacity_percent(figures, settings), 1),
            },
            "cpu": {"percentage": round(figures.cpu_percent, 1)},
            "memory": {
                "used_mb": round(figures.memory_bytes / 1e6, 1),
                "limit_mb": round(figures.memory_limit_bytes / 1e6, 1),
                "percentage": round(_memory_percent(figures), 1),
            },
            "feed": {
                "status": feed_status(figures, settings),
                "lag_records": figures.lag_records,
                "lag_seconds": round(figures.lag_seconds, 3),
                "age_seconds": None if figures.age_seconds is None else round(figures.age_seconds, 3),
            },
            "loop": {"lag_ms": round(figures.loop_lag_ms, 1)},
        },
        "uptime": round(figures.uptime_seconds, 1),
    }


def _capacity_percent(figures: Figures, settings: GatewaySettings) -> float:
    return 100 * figures.connections / settings.max_connections if settings.max_connections else 0.0


def _memory_percent(figures: Figures) -> float:
    return 100 * figures.memory_bytes / figures.memory_limit_bytes
