"""The embedded log measured: latency from append to follower across processes, CPU of each, throughput.

Run: python benchmarks/log.py [--seconds 5] [--json]. A writer process appends on a clock of its own and puts
the nanosecond of the call into each value; a follower process subtracts it from the time it has the record,
so a latency holds the append itself, the commit and the follower's poll. Each figure stands beside a floor
taken in the same run: a pipe for latency, the same bytes into a bare SQLite table for throughput.
"""

import argparse
import json
import multiprocessing
import os
import sqlite3
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from odin_ws.catalogue import TOKENS, TOPICS
from odin_ws.eventlog.base import Draft, TopicPartition
from odin_ws.eventlog.sqlite import SqliteLog
from odin_ws.settings import LogSettings

Figures = dict[str, float]

PADDING = b"x" * 222
RATE = 2000
EVERY_SECONDS = 0.002
BATCH = 500
TARGETS = {"log_p99_ms": 2.0, "throughput_ev_s": 20_000}

_spawn = multiprocessing.get_context("spawn")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each of the measurements")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        figures = measure(Path(directory), options.seconds)
    if options.json:
        print(json.dumps({"rate": RATE, "targets": TARGETS, **figures}, indent=2))
    else:
        _print(figures)


def measure(directory: Path, seconds: float) -> Figures:
    """All figures; times in ms, CPU in percent of one core, throughput in events per second."""
    pipe = _pipe_latency(seconds / 2)
    log = _log_latency(directory / "latency.sqlite", seconds)
    floor = _raw_throughput(directory / "raw.sqlite", seconds / 2)
    port = _port_throughput(directory / "throughput.sqlite", seconds)
    return {
        **{f"pipe_{name}": value for name, value in pipe.items()},
        **{f"log_{name}": value for name, value in log.items()},
        "p50_over_pipe": log["p50_ms"] / pipe["p50_ms"],
        "p99_over_pipe": log["p99_ms"] / pipe["p99_ms"],
        "throughput_ev_s": port,
        "raw_ev_s": floor,
        "throughput_over_raw": port / floor,
    }


def _log_latency(path: Path, seconds: float) -> Figures:
    log = SqliteLog(path, LogSettings())
    # Kept for a second only, so that retention removes as much as comes in while it is measured.
    log.create_topics(replace(topic, retention_seconds=1.0) for topic in TOPICS)
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(path, stop))
    keeper.start()
    follower, writer = _Child(_follow, path), _Child(_write, path, seconds)
    follower.started()
    writer.started()
    written = writer.result()
    seen = follower.result()
    stop.set()
    keeper.join()
    log.close()
    assert seen["records"] == written["records"], "the follower missed records"
    return {
        "p50_ms": seen["p50_ms"],
        "p99_ms": seen["p99_ms"],
        "append_p99_ms": written["p99_ms"],
        "rate_ev_s": written["records"] / seconds,
        "writer_cpu_percent": written["cpu_seconds"] / seconds * 100,
        "follower_cpu_percent": seen["cpu_seconds"] / seconds * 100,
    }


def _keep(path: Path, stop: threading.Event) -> None:
    log = SqliteLog(path, LogSettings())
    while not stop.wait(1.0):
        log.checkpoint()
        log.enforce_retention()
    log.close()


def _write(link: Connection, path: Path, seconds: float) -> Figures:
    log = SqliteLog(path, LogSettings())
    log.ping()
    link.send("ready")
    took_ms, sent, began, cpu = [], 0, time.perf_counter(), time.process_time()
    while (elapsed := time.perf_counter() - began) < seconds:
        due = int(elapsed * RATE) - sent
        if due:
            before = time.perf_counter()
            log.append([_stamped(sent + number) for number in range(due)])
            took_ms.append((time.perf_counter() - before) * 1e3)
            sent += due
        time.sleep(EVERY_SECONDS)
    figures = {**_percentiles(took_ms), "records": sent, "cpu_seconds": time.process_time() - cpu}
    log.append([Draft(TOPICS[0].name, b"BTC", b"end")])
    log.close()
    return figures


def _follow(link: Connection, path: Path) -> Figures:
    log = SqliteLog(path, LogSettings())
    starts = {TopicPartition(t.name, number): 0 for t in TOPICS for number in range(t.partitions)}
    follower = log.follow(starts)
    link.send("ready")
    follower_ms: list[float] = []
    cpu = time.process_time()
    while True:
        records = follower.poll(1.0).records
        now_ns = time.time_ns()
        for record in records:
            if record.value == b"end":
                cpu_seconds = time.process_time() - cpu
                return {**_percentiles(follower_ms), "records": len(follower_ms), "cpu_seconds": cpu_seconds}
            follower_ms.append((now_ns - int(record.value[:19])) / 1e6)


def _stamped(number: int) -> Draft:
    key = TOKENS[number % len(TOKENS)].encode()
    return Draft(TOPICS[number % len(TOPICS)].name, key, b"%d" % time.time_ns() + PADDING)


def _pipe_latency(seconds: float) -> Figures:
    """One process writes at the same clock into a pipe, this one reads: the floor of any hand-over."""
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    child = os.fork()
    if child == 0:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            os.write(write_end, struct.pack("q", time.time_ns()) + PADDING * 4)
            time.sleep(EVERY_SECONDS)
        os._exit(0)
    os.close(write_end)
    size = 8 + len(PADDING) * 4
    latencies = []
    while data := os.read(read_end, size):
        latencies.append((time.time_ns() - struct.unpack_from("q", data)[0]) / 1e6)
    os.waitpid(child, 0)
    os.close(read_end)
    return _percentiles(latencies)


def _port_throughput(path: Path, seconds: float) -> float:
    log = SqliteLog(path, LogSettings())
    log.create_topics(TOPICS)
    batch = [_stamped(number) for number in range(BATCH)]
    rate = _repeat(lambda: log.append(batch), seconds)
    log.close()
    return rate


def _raw_throughput(path: Path, seconds: float) -> float:
    """Key and value of the same records into a bare table, one transaction a batch: no offsets, no index."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("CREATE TABLE records (id INTEGER PRIMARY KEY, key BLOB, value BLOB)")
    batch = [(draft.key, draft.value) for draft in map(_stamped, range(BATCH))]

    def append() -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO records (key, value) VALUES (?, ?)", batch)
        db.execute("COMMIT")

    rate = _repeat(append, seconds)
    db.close()
    return rate


def _repeat(append: Callable[[], object], seconds: float) -> float:
    """Events per second of CPU time: what one core sustains, however busy the machine is."""
    began, cpu, batches = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        append()
        batches += 1
    return batches * BATCH / (time.process_time() - cpu)


class _Child:
    """A process that says when it is ready and sends its figures at the end."""

    def __init__(self, work: Callable[..., Figures], *words: object) -> None:
        self._link, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_report, args=(work, theirs, words))
        self._process.start()

    def started(self) -> None:
        self._link.recv()

    def result(self) -> Figures:
        figures: Figures = self._link.recv()
        self._process.join()
        return figures


def _report(work: Callable[..., Figures], link: Connection, words: tuple[object, ...]) -> None:
    link.send(work(link, *words))


def _percentiles(values: list[float]) -> Figures:
    ordered = sorted(values)
    return {"p50_ms": ordered[len(ordered) // 2], "p99_ms": ordered[int(len(ordered) * 0.99)]}


def _print(figures: Figures) -> None:
    for name, value in figures.items():
        target = TARGETS.get(name)
        note = f"   (target {target:g})" if target else ""
        print(f"{name:24} {value:12,.3f}{note}")


if __name__ == "__main__":
    main()
