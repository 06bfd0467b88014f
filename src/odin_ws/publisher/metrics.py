"""The publisher's Prometheus metrics, each written once: name, help and where its value comes from.

Counters run over all runs since the process began. Values are read from the publisher at each scrape.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from odin_ws.publisher.counts import Counts
from odin_ws.publisher.engine import Publisher
from odin_ws.publisher.histogram import DurationHistogram

#: Upper bounds of the exported buckets, in milliseconds.
BUCKETS_MS = (0.25, 0.5, 1, 2, 3, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)


class PublisherCollector(Collector):
    """Reads the publisher's figures at each scrape."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def collect(self) -> Iterator[Metric]:
        """All families."""
        totals = self._publisher.totals()
        yield from self._gauges()
        yield _published(totals)
        yield from _counters(totals)
        yield _histogram(
            "odin_publisher_lateness_seconds",
            "From an event's planned time to its being in the log.",
            totals.lateness,
        )
        yield _histogram("odin_publisher_append_seconds", "Time an append to the log takes.", totals.appends)

    def _gauges(self) -> Iterator[Metric]:
        state, report = self._publisher.state(), self._publisher.report()
        rows = (
            ("rate", "Events per second asked for; 0 when stopped.", state.rate),
            ("running", "1 while events are published.", state.running),
            ("log_connected", "1 when the log took the last write.", state.connected),
            (
                "waiting_events",
                "Events made, not yet in the log.",
                report.waiting if report else 0,
            ),
        )
        for name, text, value in rows:
            yield GaugeMetricFamily(f"odin_publisher_{name}", text, value=float(value))


def registry_of(publisher: Publisher) -> CollectorRegistry:
    """A registry with the publisher's metrics and those of its process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PublisherCollector(publisher))
    ProcessCollector(registry=registry)
    return registry


def _published(totals: Counts) -> Metric:
    family = CounterMetricFamily("odin_publisher_events", "Events in the log.", labels=["topic"])
    for topic, count in sorted(totals.published.items()):
        family.add_metric([topic], count)
    return family


def _counters(totals: Counts) -> Iterator[Metric]:
    rows = (
        ("planned_events", "Events whose planned time has come.", totals.planned),
        ("late_events", "Events in the log more than 10 ms after their planned time.", totals.late),
        (
            "skipped_events",
            "Events not sent, being later than max_backlog_seconds.",
            totals.skipped,
        ),
        ("unsent_events", "Events made but given up when their run ended.", totals.unsent),
        ("errors", "Appends that failed.", totals.errors),
        ("retries", "Appends tried again.", totals.retries),
    )
    for name, text, value in rows:
        yield CounterMetricFamily(f"odin_publisher_{name}", text, value=float(value))


def _histogram(name: str, text: str, durations: DurationHistogram) -> Metric:
    buckets = [
        (str(bound_ms / 1000), float(count))
        for bound_ms, count in zip(BUCKETS_MS, durations.at_most(BUCKETS_MS), strict=True)
    ]
    return HistogramMetricFamily(
        name, text, buckets=[*buckets, ("+Inf", float(durations.count))], sum_value=durations.total_ms / 1000
    )
