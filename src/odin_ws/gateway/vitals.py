"""The gateway's own pulse: CPU, memory and lag of its event loop, sampled a few times a second.

`memory_limit_bytes` is the cgroup's limit where there is one, else the machine's memory.
"""

import asyncio
import time
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.25
#: CPU is a mean over so many samples; loop lag is the worst of as many.
WINDOW_SAMPLES = 20


class Vitals:
    """Latest figures; `run` keeps them fresh until cancelled."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.started = time.monotonic()
        self.memory_limit_bytes = memory_limit_bytes()
        self._cpu: list[float] = []
        self._lag: list[float] = []

    async def run(self) -> None:
        """Sample for ever."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            cpu_before = time.process_time()
            await asyncio.sleep(SAMPLE_SECONDS)
            took = loop.time() - before
            self._cpu = [*self._cpu[-WINDOW_SAMPLES:], (time.process_time() - cpu_before) / took * 100]
            self._lag = [*self._lag[-WINDOW_SAMPLES:], max(0.0, took - SAMPLE_SECONDS) * 1000]

    @property
    def cpu_percent(self) -> float:
        """CPU of this process in percent of one core, over the last seconds."""
        return sum(self._cpu) / len(self._cpu) if self._cpu else 0.0

    @property
    def loop_lag_ms(self) -> float:
        """The latest a timer came in the last seconds, in milliseconds."""
        return max(self._lag, default=0.0)

    @property
    def memory_bytes(self) -> int:
        """Resident memory of this process."""
        return int(self._process.memory_info().rss)

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started


def memory_limit_bytes(cgroup: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """The memory this process may use, in bytes."""
    total = int(psutil.virtual_memory().total)
    try:
        text = cgroup.read_text().strip()
    except OSError:
        return total
    return min(total, int(text)) if text.isdigit() else total
