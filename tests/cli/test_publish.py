"""`odin publish`: what goes into the log, what is said on stderr and stdout, and the exit codes."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from odin_ws.cli import publish as command
from odin_ws.cli.app import app, main
from odin_ws.cli.context import current
from odin_ws.eventlog import open_log
from odin_ws.eventlog.base import Record
from odin_ws.home import Home
from odin_ws.settings import Settings

GOOD = '{"topic":"orders","key":"1001","value":{"n": 1}}\n'
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "orders"


Capture = pytest.CaptureFixture[str]


class Shop:
    """A home with a configuration that has a topic `orders`, and the command on it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
        self._patch, self._capture = monkeypatch, capfd
        self.file = root / "lines.ndjson"
        (root / "odin.toml").write_text('[topics.orders]\nsuffix = "order"\n')
        monkeypatch.chdir(root)
        monkeypatch.setenv("ODIN_HOME", str(root / "home"))
        for name in ("ODIN_CONFIG", "FORMAT"):
            monkeypatch.delenv(name, raising=False)
        current.cache_clear()

    @property
    def settings(self) -> Settings:
        return current().settings

    @property
    def home(self) -> Home:
        return current().home.create()

    def open_topics(self) -> None:
        log = open_log(self.settings, self.home)
        log.create_topics(self.settings.all_topics())
        log.close()

    def records(self, topic: str = "orders") -> list[Record]:
        log = open_log(self.settings, self.home)
        try:
            partitions = range(len(log.describe()[topic].partitions))
            return [record for number in partitions for record in log.read(topic, number, 0, 10_000)]
        finally:
            log.close()

    def run(self, *arguments: str, stdin: bytes | None = None) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        self._patch.setattr(sys, "argv", ["odin", "publish", *arguments])
        if stdin is not None:
            self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = self._capture.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    def publish(self, text: str, *arguments: str) -> tuple[int, str, str]:
        self.file.write_text(text)
        return self.run(str(self.file), *arguments)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> Any:
    yield Shop(tmp_path, monkeypatch, capfd)
    current.cache_clear()


def test_the_command_is_registered() -> None:
    assert "publish" in {registered.name for registered in app.registered_commands}


def test_lines_of_a_file_go_into_the_log(shop: Shop) -> None:
    shop.open_topics()
    code, out, err = shop.publish(GOOD + GOOD.replace("1}", "2}"))
    assert (code, out) == (0, "")
    assert [(r.key, r.value) for r in shop.records()] == [(b"1001", b'{"n":1}'), (b"1001", b'{"n":2}')]
    assert err.startswith("sent 2 records, 0 bad lines, up to line 2")


def test_standard_input(shop: Shop) -> None:
    shop.open_topics()
    code, _, err = shop.run("-", stdin=GOOD.encode().rstrip())
    assert code == 0
    assert len(shop.records()) == 1
    assert "sent 1 record," in err


def test_bad_lines_are_reported_and_the_rest_goes_on(shop: Shop) -> None:
    shop.open_topics()
    code, _, err = shop.publish(GOOD + "oops\n\n" + GOOD.replace("orders", "order") + GOOD)
    assert code == 2
    assert len(shop.records()) == 2
    first, second, summary = err.splitlines()
    assert first.startswith("line 2: is not valid JSON")
    assert second.startswith("line 4: topic 'order' does not exist (did you mean 'orders'?); there are: ")
    assert summary.startswith("sent 2 records, 2 bad lines, up to line 5")


def test_json_is_one_document_on_stdout(shop: Shop) -> None:
    shop.open_topics()
    code, out, _ = shop.publish(GOOD + "oops\n", "-o", "json")
    document = json.loads(out)
    assert code == 2
    assert (document["sent"], document["bad"], document["last_line"]) == (1, 1, 2)
    assert document["by_topic"] == {"orders": 1}
    assert document["dry_run"] is False


def test_dry_run_needs_no_log_and_makes_none(shop: Shop) -> None:
    code, out, err = shop.publish(GOOD + GOOD, "--dry-run", "-o", "json")
    assert code == 0
    assert json.loads(out)["checked"] == 2
    assert "checked 2 records" in err
    assert not current().home.root.exists()


def test_dry_run_knows_the_topics_of_the_configuration(shop: Shop) -> None:
    code, _, err = shop.publish(GOOD.replace("orders", "parcels"), "--dry-run")
    assert code == 2
    assert "topic 'parcels' does not exist" in err
    assert "orders" in err


def test_old_records_are_pointed_out(shop: Shop) -> None:
    shop.open_topics()
    code, _, err = shop.publish('{"topic":"orders","value":1,"timestamp":1000}\n')
    assert code == 0
    assert "removed at once: 1 record" in err


def test_timestamps_reach_the_log(shop: Shop) -> None:
    shop.open_topics()
    shop.publish('{"topic":"orders","value":1,"timestamp":4102444800000}\n')
    assert [(r.timestamp_ms, r.key) for r in shop.records()] == [(4_102_444_800_000, None)]


def test_a_log_without_topics_says_what_to_do(shop: Shop) -> None:
    code, _, err = shop.publish(GOOD)
    assert code == 7
    assert "no topics yet" in err
    assert "./task up" in err


@pytest.mark.parametrize("name", ["missing.ndjson", "."])
def test_a_file_that_cannot_be_read(shop: Shop, name: str) -> None:
    code, _, err = shop.run(name)
    assert code == 2
    assert f"cannot read {name}" in err


@pytest.mark.parametrize("rate", ["-1", "nan", "inf", "fast"])
def test_a_bad_rate_is_a_usage_error(shop: Shop, rate: str) -> None:
    code, _, err = shop.publish(GOOD, f"--rate={rate}")
    assert code == 2
    assert "--rate" in err


def test_a_rate_is_taken(shop: Shop) -> None:
    shop.open_topics()
    assert shop.publish(GOOD * 3, "--rate", "100")[0] == 0
    assert len(shop.records()) == 3


def test_an_interruption_tells_how_far_it_came(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.open_topics()

    class Interrupted(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise KeyboardInterrupt
            return super().read1(len(GOOD))

    monkeypatch.setattr(command, "_opened", lambda file: Interrupted(GOOD.encode() * 2))
    code, _, err = shop.run("any")
    assert code == 130
    assert "sent 1 record, 0 bad lines, up to line 1" in err
    assert len(shop.records()) == 1


def test_the_lines_of_the_example_are_good(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIN_CONFIG", str(EXAMPLE / "odin.toml"))
    current.cache_clear()
    shop.open_topics()
    assert shop.run(str(EXAMPLE / "orders.ndjson"))[0] == 0
    records = shop.records()
    assert len(records) == 20
    channels = {shop.settings.topics["orders"].topic("orders").channel_for(record.key) for record in records}
    assert channels == {f"100{number}.order" for number in range(1, 6)}


def test_fast_talk_is_joined_and_nothing_is_lost() -> None:
    printed: list[str] = []
    talk = command._Talk(printed.append)
    talk.PAUSE_SECONDS = 3600.0
    talk._said = float("-inf")
    for number in range(5):
        talk.say(str(number))
    assert printed == ["0"]
    talk.flush()
    talk.flush()
    assert printed == ["0", "1\n2\n3\n4"]
