"""The publisher as a process on the embedded log: start, signals, kill -9; `odin publish` from a pipe."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from odin_ws.catalogue import TOPICS
from odin_ws.eventlog import open_log
from odin_ws.eventlog.base import EventLog, Record
from odin_ws.home import Home
from odin_ws.publisher.simulator import Simulator
from odin_ws.settings import Settings
from support import free_port, get, wait_until

pytestmark = pytest.mark.integration


@dataclass
class RunningPublisher:
    """A publisher process and its control API."""

    process: "subprocess.Popen[str]"
    port: int

    def get(self, path: str) -> Any:
        return get(f"http://127.0.0.1:{self.port}{path}")[1]

    def post(self, path: str, body: object) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def connected(self) -> bool:
        health = self.get("/health")
        return bool(health) and health["publisher"] == "connected"


Start = Callable[..., RunningPublisher]


def environment(home: Home, **settings: object) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ODIN_")}
    environ["ODIN_HOME"] = str(home.root)
    return environ | {f"ODIN_PUBLISHER_{name.upper()}": str(value) for name, value in settings.items()}


@pytest.fixture
def start_publisher(home: Home) -> Iterator[Start]:
    """Starts `odin serve publisher` with settings given as keywords and waits until it answers."""
    started: list[RunningPublisher] = []

    def start(**settings: object) -> RunningPublisher:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "odin_ws", "serve", "publisher"],
            env=environment(home, port=port, **settings),
            cwd=home.root,
            stderr=subprocess.PIPE,
            text=True,
        )
        publisher = RunningPublisher(process, port)
        started.append(publisher)
        wait_until(lambda: publisher.get("/health"), "the publisher answers")
        return publisher

    yield start
    for publisher in started:
        publisher.process.kill()
        publisher.process.communicate()


def records_of(log: EventLog) -> list[Record]:
    return [
        record
        for topic, state in log.describe().items()
        for partition in range(len(state.partitions))
        for record in log.read(topic, partition, 0, 100_000)
    ]


def test_it_publishes_by_itself_and_the_log_has_what_it_counts(
    start_publisher: Start, event_log: EventLog
) -> None:
    publisher = start_publisher(rate=2000, seed=4)
    wait_until(lambda: publisher.get("/stats").get("published", 0) > 1000, "1000 events")
    assert publisher.post("/stop", {})[0] == 200
    stats, records = publisher.get("/stats"), records_of(event_log)
    assert stats["published"] == len(records)
    assert stats["byTopic"] == Counter(record.topic for record in records)
    assert stats["errors"] == 0
    again = Simulator(stats["tokens"], 4).batch(sorted(record.timestamp_ms for record in records))
    assert Counter(draft.value for draft in again) == Counter(record.value for record in records)


def test_each_partition_is_in_the_order_of_planned_times(start_publisher: Start, event_log: EventLog) -> None:
    publisher = start_publisher(rate=2000)
    wait_until(lambda: publisher.get("/stats").get("published", 0) > 500, "500 events")
    publisher.post("/stop", {})
    records = records_of(event_log)
    for topic in TOPICS:
        for key in {record.key for record in records}:
            times = [r.timestamp_ms for r in records if (r.topic, r.key) == (topic.name, key)]
            assert times == sorted(times)


def test_it_waits_for_a_log_that_is_not_ready_yet(start_publisher: Start, home: Home) -> None:
    publisher = start_publisher(rate=100)
    assert publisher.get("/health")["publisher"] == "disconnected"
    assert "does not exist" in publisher.get("/health")["problem"]
    log = open_log(Settings(), home)
    log.create_topics(TOPICS)
    wait_until(publisher.connected, "connected once the topics are there")
    wait_until(lambda: records_of(log), "records")
    log.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0(start_publisher: Start, event_log: EventLog, number: int) -> None:
    publisher = start_publisher(rate=500)
    wait_until(publisher.connected, "connected")
    publisher.process.send_signal(number)
    _, err = publisher.process.communicate(timeout=20)
    assert publisher.process.returncode == 0
    last = json.loads(err.splitlines()[-1])
    assert (last["event"], last["in_time"], last["service"]) == ("stopped", True, "publisher")


def test_kill_9_leaves_a_log_that_goes_on(start_publisher: Start, event_log: EventLog) -> None:
    first = start_publisher(rate=2000)
    wait_until(lambda: first.get("/stats").get("published", 0) > 200, "200 events")
    first.process.kill()
    first.process.wait(20)
    before = len(records_of(event_log))
    second = start_publisher(rate=2000)
    wait_until(lambda: second.get("/stats").get("published", 0) > 200, "200 events more")
    second.post("/stop", {})
    assert len(records_of(event_log)) == before + second.get("/stats")["published"]


def test_a_port_in_use_is_a_failed_start(start_publisher: Start, home: Home) -> None:
    publisher = start_publisher(autostart="false")
    second = subprocess.run(
        [sys.executable, "-m", "odin_ws", "serve", "publisher"],
        env=environment(home, port=publisher.port),
        cwd=home.root,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 4
    assert f"cannot listen on 127.0.0.1:{publisher.port}" in second.stderr


def test_without_autostart_it_waits_for_a_start(start_publisher: Start, event_log: EventLog) -> None:
    publisher = start_publisher(autostart="false")
    assert publisher.get("/status")["isRunning"] is False
    assert publisher.post("/rate", {"rate": 5})[0] == 400
    assert publisher.post("/start", {"rate": 0})[0] == 400
    assert publisher.post("/start", {"rate": 500, "tokenIds": ["BTC"]})[0] == 200
    wait_until(lambda: {record.key for record in records_of(event_log)} == {b"BTC"}, "records of BTC")


def test_a_line_from_a_pipe_is_sent_when_it_arrives(home: Home, event_log: EventLog) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "odin_ws", "publish", "-"],
        env=environment(home),
        cwd=home.root,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdin is not None
    for count in (1, 2, 3):
        process.stdin.write(f'{{"topic":"odin.trades","key":"BTC","value":{count}}}\n')
        wait_until(lambda count=count: len(records_of(event_log)) == count, f"line {count} in the log")
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "sent 3 records" in err
