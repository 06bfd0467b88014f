"""The table of services, and what verbs ask of it."""

import pytest

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import GatewaySettings, Settings
from odin_ws.stack.services import (
    SERVICES,
    dependents,
    reachable_host,
    select,
    stop_order,
    with_needs,
)


def names(services):
    return [service.name for service in services]


def test_the_table_is_in_an_order_in_which_services_can_start():
    seen: set[str] = set()
    for service in SERVICES:
        assert set(service.needs) <= seen
        seen.add(service.name)


def test_the_embedded_log_says_what_it_is():
    assert select(SERVICES, "redpanda")[0].title == "redpanda (embedded log)"


def test_each_service_has_a_colour_of_its_own():
    assert len({service.colour for service in SERVICES}) == len(SERVICES)


def test_all_means_the_whole_table():
    assert select(SERVICES, "all") == SERVICES


def test_an_unknown_service_is_a_usage_error_with_the_nearest_name():
    with pytest.raises(OdinError, match="did you mean 'publisher'") as told:
        select(SERVICES, "publsher")
    assert told.value.exit_code is ExitCode.USAGE
    assert "redpanda, publisher, ws, all" in told.value.remedy


def test_what_a_service_needs_comes_before_it():
    assert names(with_needs(SERVICES, select(SERVICES, "ws"))) == ["redpanda", "ws"]


def test_dependents_are_those_who_need_it():
    assert names(dependents(SERVICES, select(SERVICES, "redpanda"))) == ["publisher", "ws"]
    assert dependents(SERVICES, select(SERVICES, "ws")) == ()


def test_nobody_is_stopped_before_those_who_need_it():
    assert [names(group) for group in stop_order(SERVICES)] == [["publisher", "ws"], ["redpanda"]]


@pytest.mark.parametrize(
    ("host", "reached"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.0.0.3", "10.0.0.3"), ("::1", "[::1]")],
)
def test_a_service_is_reached_where_it_listens(host, reached):
    assert reachable_host(host) == reached


def test_addresses_follow_the_settings():
    settings = Settings(gateway=GatewaySettings(port=4005))
    (ws,) = select(SERVICES, "ws")
    assert ws.urls(settings)[0].url == "ws://127.0.0.1:4005/ws"
    assert ws.where(ws, settings, Home("/x")) == "127.0.0.1:4005"
