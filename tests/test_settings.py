"""Each setting is written once and completely; a topic of the user's becomes what it says."""

import re

import pytest
from pydantic import ValidationError

from odin_ws import catalogue
from odin_ws.config_docs import vars_of
from odin_ws.settings import (
    GatewaySettings,
    PublisherSettings,
    Settings,
    TopicSettings,
    sections,
    setting_fields,
    variable_of,
)


def topics_of(**own: dict[str, object]) -> dict[str, catalogue.Topic]:
    settings = Settings(topics={name: TopicSettings(**values) for name, values in own.items()})
    return {topic.name: topic for topic in settings.all_topics()}


def test_without_topics_of_your_own_there_are_the_catalogues():
    assert Settings().all_topics() == catalogue.TOPICS


def test_a_topic_of_your_own_comes_beside_the_catalogues():
    topics = topics_of(orders={"suffix": "order", "retention_seconds": 5, "partitions": 3})
    assert len(topics) == len(catalogue.TOPICS) + 1
    assert topics["orders"] == catalogue.Topic("orders", "{key}.order", 5, 3)


def test_a_topic_without_suffix_has_its_name_for_one():
    assert topics_of(orders={})["orders"] == catalogue.Topic("orders", "{key}.orders", 3600, 12)


def test_a_template_stands_instead_of_a_suffix():
    assert topics_of(orders={"channel": "{topic}.{key}"})["orders"].channel_for(b"7") == "orders.7"


def test_of_a_topic_of_the_catalogue_only_what_is_said_changes():
    before = catalogue.TOPICS[0]
    after = topics_of(**{before.name: {"retention_seconds": 99}})[before.name]
    assert after == catalogue.Topic(before.name, before.channel, 99, before.partitions)
    assert topics_of(**{before.name: {"suffix": "deal"}})[before.name].channel == "{key}.deal"
    base = catalogue.Topic("orders", "{key}.order", 5, 7)
    assert TopicSettings().topic("orders", base) == base
    assert TopicSettings(partitions=3).topic("orders", base).partitions == 3


@pytest.mark.parametrize("bad", [{"suffix": ""}, {"suffix": "a b"}, {"suffix": "x."}, {"channel": "orders"}])
def test_a_topic_whose_channels_would_have_no_valid_name_is_refused(bad):
    with pytest.raises(ValidationError):
        TopicSettings(**bad)


def test_a_topic_name_that_the_log_cannot_hold_is_refused():
    with pytest.raises(ValidationError, match="no name for a topic"):
        Settings(topics={"my orders": TopicSettings()})


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:5173", "*", "null"])
def test_origins_that_a_browser_sends(origin):
    assert GatewaySettings(allowed_origins=(origin,)).allowed_origins == (origin,)


@pytest.mark.parametrize("origin", ["https://app.example/", "app.example", "", "https://", "https://a@b"])
def test_an_origin_that_no_browser_would_ever_send_is_refused(origin):
    with pytest.raises(ValidationError):
        GatewaySettings(allowed_origins=(origin,))


def test_an_empty_host_is_refused_for_it_would_listen_everywhere():
    for section in (GatewaySettings, PublisherSettings):
        with pytest.raises(ValidationError):
            section(host="")


def test_everything_listens_on_loopback_unless_told_otherwise():
    hosts = {key: info.default for key, info in setting_fields().items() if key.endswith(".host")}
    assert hosts == {"gateway.host": "127.0.0.1", "publisher.host": "127.0.0.1"}


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_are_finite(value):
    for section, name in (("stack", "start_timeout_seconds"), ("gateway", "drain_seconds")):
        with pytest.raises(ValidationError):
            sections()[section](**{name: value})


def test_settings_do_not_change_after_loading():
    with pytest.raises(ValidationError):
        Settings().gateway.port = 1


@pytest.mark.parametrize("key", setting_fields())
def test_every_setting_is_explained(key):
    text = str(setting_fields()[key].description)
    assert len(text.split()) >= 3
    assert text.endswith(".")


@pytest.mark.parametrize("key", setting_fields())
def test_what_zero_means_is_said_where_zero_is_allowed(key):
    info = setting_fields()[key]
    if any(vars_of(item).get("ge") == 0 for item in info.metadata):
        assert re.search(r"\b0 = ", str(info.description)), f"{key} does not say what 0 means"


@pytest.mark.parametrize("key", setting_fields())
def test_every_number_has_its_unit_in_its_name_or_its_words(key):
    info = setting_fields()[key]
    if info.annotation is float and not key.endswith(("_seconds", "_ms", "_mb", "_factor")):
        assert re.search(r"per second|a client may send", str(info.description))


@pytest.mark.parametrize("section", sections())
def test_every_default_is_valid(section):
    model = sections()[section]
    model.model_validate(model().model_dump(), strict=True)


def test_variables_of_settings_are_different():
    names = {variable_of(key) for key in setting_fields()}
    assert len(names) == len(setting_fields())
    assert "ODIN_GATEWAY_PORT" in names
