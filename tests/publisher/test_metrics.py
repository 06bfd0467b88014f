"""The metrics that Prometheus gets: names, labels and values, read at the time of the scrape."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from odin_ws.catalogue import TOPICS
from odin_ws.publisher.engine import Publisher
from odin_ws.publisher.metrics import registry_of
from publisher.fake_log import FakeLog
from support import wait_until


def scrape(publisher: Publisher) -> dict[tuple[str, str], float]:
    """Value by (sample name, topic or bucket bound)."""
    text = generate_latest(registry_of(publisher)).decode()
    return {
        (sample.name, sample.labels.get("topic") or sample.labels.get("le", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_before_any_run(publisher: Publisher) -> None:
    values = scrape(publisher)
    assert values["odin_publisher_running", ""] == 0
    assert values["odin_publisher_rate", ""] == 0
    assert values["odin_publisher_planned_events_total", ""] == 0


def test_counters_tell_what_is_in_the_log_over_all_runs(publisher: Publisher, log: FakeLog) -> None:
    for seed in (1, 2):
        publisher.start(2000, ("BTC",), seed)
        log.wait_for(len(log.drafts) + 200)
        publisher.stop()
    values, drafts = scrape(publisher), log.drafts
    for topic in TOPICS:
        count = sum(draft.topic == topic.name for draft in drafts)
        assert values.get(("odin_publisher_events_total", topic.name), 0) == count
    assert values["odin_publisher_lateness_seconds_count", ""] == len(drafts)
    assert values["odin_publisher_append_seconds_count", ""] == len(log.batches)
    assert values["odin_publisher_planned_events_total", ""] >= len(drafts)


def test_gauges_of_a_run(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(250, ("BTC",), 1)
    log.wait_for(1)
    values = scrape(publisher)
    assert values["odin_publisher_running", ""] == 1
    assert values["odin_publisher_rate", ""] == 250
    assert values["odin_publisher_log_connected", ""] == 1


def test_an_outage_shows(publisher: Publisher, log: FakeLog) -> None:
    log.failing = True
    publisher.start(1000, ("BTC",), 1)
    wait_until(lambda: publisher.totals().retries, "a retry")
    values = scrape(publisher)
    assert values["odin_publisher_log_connected", ""] == 0
    assert values["odin_publisher_waiting_events", ""] > 0
    assert values["odin_publisher_errors_total", ""] >= 2
    assert values["odin_publisher_retries_total", ""] >= 1


def test_buckets_of_a_histogram_never_fall(publisher: Publisher, log: FakeLog) -> None:
    publisher.start(2000, ("BTC",), 1)
    log.wait_for(100)
    publisher.stop()
    wanted = "odin_publisher_lateness_seconds_bucket"
    buckets = [value for (name, _), value in scrape(publisher).items() if name == wanted]
    assert buckets == sorted(buckets)
    assert buckets[-1] == len(log.drafts)


def test_metrics_of_the_process_are_there(publisher: Publisher) -> None:
    assert scrape(publisher)["process_resident_memory_bytes", ""] > 0
