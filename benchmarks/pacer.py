"""The publisher's pace measured, as a service on the real log: planned and achieved rate, lateness, CPU.

Run: python benchmarks/pacer.py [--rate 2000] [--seconds 20] [--json]. Lateness is from an event's planned
time to its being in the log. The log's keeper runs beside it, as it does on `up`. CPU is that of the whole
service, its HTTP server included; the target is a rate within 1 %.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from platform_under_test import Platform, Service

TARGET_RATIO = (0.99, 1.01)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2000.0, help="events per second")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the measurement")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        platform = Platform(Path(directory))
        try:
            with keeper(platform):
                figures = measure(platform, options.rate, options.seconds)
        finally:
            platform.stop()
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        _print(figures)


@contextlib.contextmanager
def keeper(platform: Platform) -> Iterator[None]:
    """The service that keeps the log's file in shape, which otherwise a writer has to do in between."""
    command = [sys.executable, "-m", "odin_ws", "serve", "log"]
    environ = {**os.environ, "ODIN_HOME": str(platform.home.root)}
    process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def measure(platform: Platform, rate: float, seconds: float) -> dict[str, Any]:
    """Figures of one run; times in ms, CPU in percent of one core, memory in MB."""
    service = platform.start("publisher", "/health", rate=rate)
    before = service.cpu_seconds()
    started = time.monotonic()
    time.sleep(seconds)
    cpu = (service.cpu_seconds() - before) / (time.monotonic() - started)
    stats = _stats(service)
    run = stats["rate"]["sinceStart"]
    return {
        "rate": rate,
        "planned_ev_s": run["planned"],
        "achieved_ev_s": run["achieved"],
        "achieved_over_planned": round(stats["published"] / stats["planned"], 5),
        "achieved_over_rate": round(run["achieved"] / rate, 5),
        "target_ratio": TARGET_RATIO,
        **{f"lateness_{name}_ms": value for name, value in stats["latenessMs"].items()},
        **{f"append_{name}_ms": value for name, value in stats["appendMs"].items()},
        "late_events": stats["late"],
        "skipped_events": stats["skipped"],
        "cpu_percent": round(100 * cpu, 1),
        "memory_mb": round(service.memory_bytes() / 1e6, 1),
    }


def _stats(service: Service) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/stats", timeout=10) as answer:
        stats: dict[str, Any] = json.load(answer)
    return stats


def _print(figures: dict[str, Any]) -> None:
    print(f"asked for          {figures['rate']:>10,.1f} ev/s")
    print(f"achieved           {figures['achieved_ev_s']:>10,.1f} ev/s ({figures['achieved_over_rate']:.2%})")
    print(f"achieved / planned {figures['achieved_over_planned']:>10.4f} (target 0.99 to 1.01)")
    for name in ("lateness", "append"):
        p50, p99, most = (figures[f"{name}_{part}_ms"] for part in ("p50", "p99", "max"))
        print(f"{name:<18} {p50:>10.2f} ms p50, {p99:.2f} ms p99, {most:.2f} ms max")
    print(f"late, skipped      {figures['late_events']:>10} (over 10 ms), {figures['skipped_events']}")
    print(f"CPU, memory        {figures['cpu_percent']:>10.1f} % of a core, {figures['memory_mb']} MB")


if __name__ == "__main__":
    main()
