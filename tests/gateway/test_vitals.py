"""The pulse: a blocked loop shows as lag; memory has a limit."""

import asyncio
import contextlib
import time

from odin_ws.gateway import vitals
from odin_ws.gateway.vitals import Vitals, memory_limit_bytes


async def test_a_blocked_loop_shows_as_lag_and_cpu(monkeypatch):
    monkeypatch.setattr(vitals, "SAMPLE_SECONDS", 0.01)
    pulse = Vitals()
    task = asyncio.create_task(pulse.run())
    await asyncio.sleep(0.02)
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        pass
    await asyncio.sleep(0.03)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert pulse.loop_lag_ms > 50
    assert pulse.cpu_percent > 0
    assert pulse.memory_bytes > 1_000_000
    assert pulse.uptime_seconds > 0


def test_the_cgroups_limit_counts_when_it_is_the_smaller(tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text("104857600\n")
    assert memory_limit_bytes(limit) == 104_857_600
    limit.write_text("max\n")
    whole = memory_limit_bytes(limit)
    assert whole == memory_limit_bytes(tmp_path / "absent") > 104_857_600
