"""The gateway's Prometheus metrics, each written once: name, type, help and where its value comes from."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from odin_ws.gateway.worker import Worker

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class GatewayCollector(Collector):
    """Reads the gateway's figures at each scrape."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self._gauges()
        yield from self._counters()
        yield self._latency()

    def _gauges(self) -> Iterator[Metric]:
        worker = self._worker
        figures = worker.figures()
        age = figures.age_seconds
        rows: list[tuple[str, str, float]] = [
            ("connections", "Connections held.", figures.connections),
            (
                "connections_max",
                "Most connections that are let in; 0 is no limit.",
                worker.settings.max_connections,
            ),
            ("channels", "Channels known, with or without subscribers.", len(worker.hub.channels)),
            ("slow_connections", "Connections for which bytes wait in this process.", len(worker.slow)),
            ("queued_bytes", "Bytes that wait for slow connections.", worker.queued_bytes()),
            ("feed_lag_records", "Records in the log that were not read yet.", figures.lag_records),
            (
                "feed_lag_seconds",
                "Age of the newest record read, while there are unread ones.",
                figures.lag_seconds,
            ),
            (
                "feed_age_seconds",
                "Seconds since a record came; -1 when none has.",
                -1 if age is None else age,
            ),
            ("feed_connected", "1 when the event log can be read.", figures.log_connected),
            ("ready", "1 when /readyz says so.", not worker.failing_checks()),
            (
                "loop_lag_seconds",
                "Worst lateness of a timer in the last seconds.",
                figures.loop_lag_ms / 1000,
            ),
            ("cpu_percent", "CPU of this process, percent of one core.", figures.cpu_percent),
            ("memory_bytes", "Resident memory.", figures.memory_bytes),
            ("uptime_seconds", "Seconds since the start.", figures.uptime_seconds),
        ]
        for name, text, value in rows:
            yield GaugeMetricFamily(f"odin_gateway_{name}", text, value=float(value))

    def _counters(self) -> Iterator[Metric]:
        hub, counts = self._worker.hub.counts, self._worker.counts
        rows: list[tuple[str, str, float]] = [
            ("records", "Records read from the event log.", hub.records),
            ("deliveries", "Events written, one for each client that gets it.", hub.deliveries),
            ("deliveries_bytes", "Bytes of those events.", hub.deliveries_bytes),
            ("writes", "Writes of events to clients; a write joins what a tick has.", hub.writes),
            ("not_json", "Records whose value was not JSON and went out as a string.", hub.not_json),
            ("unmapped", "Records of topics that no channel is mapped to.", hub.unmapped),
            ("gaps", "Gaps told, one for each channel.", hub.gaps),
            ("connects", "Connections accepted.", counts.connects),
            ("messages", "Messages of clients answered.", counts.messages),
            ("errors", "Messages answered with an error.", counts.errors),
        ]
        for name, text, value in rows:
            yield CounterMetricFamily(f"odin_gateway_{name}", text, value=float(value))
        yield _labelled("closes", "Connections ended, by reason.", "reason", counts.closes)
        yield _labelled(
            "refused", "Connections refused before the upgrade, by reason.", "reason", counts.refused
        )

    def _latency(self) -> Metric:
        latency = self._worker.counts.latency
        return HistogramMetricFamily(
            "odin_gateway_delivery_seconds",
            "From a record's timestamp to its being written to its subscribers.",
            buckets=list(latency.cumulative()),
            sum_value=latency.total,
        )


def exposition(registry: CollectorRegistry) -> bytes:
    """The body of /metrics."""
    return generate_latest(registry)


def _labelled(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"odin_gateway_{name}", text, labels=[label])
    for value, count in sorted(values.items()):
        family.add_metric([value], float(count))
    return family
