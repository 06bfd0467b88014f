"""The exposition is valid and holds what the gateway counted."""

from prometheus_client.parser import text_string_to_metric_families

from odin_ws.gateway.http import reply_to
from odin_ws.gateway.server import Gateway


def test_every_family_has_help_and_values_are_the_counted_ones(settings):
    gateway = Gateway(settings, (), lambda: None)
    gateway.counts.closes["slow_consumer"] += 3
    gateway.counts.latency.add(0.002)
    gateway.hub.counts.deliveries = 42
    text = reply_to("/metrics", {}, gateway).body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert all(family.documentation for family in families.values())
    assert families["odin_gateway_deliveries"].samples[0].value == 42
    assert families["odin_gateway_closes"].samples[0].labels == {"reason": "slow_consumer"}
    buckets = {s.labels.get("le"): s.value for s in families["odin_gateway_delivery_seconds"].samples}
    assert (buckets["0.001"], buckets["0.002"], buckets["+Inf"]) == (0, 1, 1)
