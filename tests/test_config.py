"""Layers: a later one wins, each value knows where it came from, and one run finds every error."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odin_ws.config import ConfigInvalid, find_file, load_config
from odin_ws.settings import Settings


@pytest.fixture
def load(tmp_path):
    """Load with the given text as odin.toml, environment and overrides, and nothing of this machine's."""

    def load(text="", environ=None, overrides=None):
        (tmp_path / "odin.toml").write_text(text)
        return load_config(environ=environ or {}, overrides=overrides, start=tmp_path)

    return load


@pytest.fixture
def problems(load):
    """The errors of a configuration as (place, key, message, suggestion)."""

    def problems(text="", environ=None, overrides=None):
        with pytest.raises(ConfigInvalid) as caught:
            load(text, environ, overrides)
        return [(re.sub(r"\S*/", "", p.where), p.key, p.message, p.suggestion) for p in caught.value.problems]

    return problems


def test_without_a_file_all_is_at_its_default(tmp_path):
    config = load_config(environ={}, start=tmp_path)
    assert config.settings == Settings()
    assert config.source("gateway.port") == "default"
    assert config.topic_source("odin.trades") == "default"


@given(st.dictionaries(st.sampled_from(["file", "environment", "flag"]), st.integers(0, 10**9)))
def test_the_last_layer_that_speaks_wins_and_is_the_source(tmp_path_factory, seeds):
    directory = tmp_path_factory.mktemp("layers")
    line = f"seed = {seeds['file']}" if "file" in seeds else ""
    (directory / "odin.toml").write_text(f"[publisher]\n{line}\n")
    environ = {"ODIN_PUBLISHER_SEED": str(seeds["environment"])} if "environment" in seeds else {}
    overrides = {"publisher.seed": str(seeds["flag"])} if "flag" in seeds else {}
    config = load_config(environ=environ, overrides=overrides, start=directory)
    winner = next((layer for layer in ("flag", "environment", "file") if layer in seeds), "")
    places = {"flag": "flag", "environment": "ODIN_PUBLISHER_SEED", "file": "odin.toml:2", "": "default"}
    assert config.settings.publisher.seed == seeds.get(winner)
    assert config.source("publisher.seed").endswith(places[winner])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("publisher.autostart", "false", False),
        ("publisher.autostart", "0", False),
        ("log.fsync", "true", True),
        ("log.fsync", "1", True),
        ("log.fsync", "on", True),
        ("log.fsync", " yes ", True),
        ("gateway.max_errors", "7", 7),
        ("publisher.rate", "0.5", 0.5),
        ("publisher.rate", "20", 20.0),
        ("publisher.seed", "", None),
        ("publisher.seed", "5", 5),
        ("publisher.tokens", "BTC, ETH,,SOL", ("BTC", "ETH", "SOL")),
        ("gateway.allowed_origins", "", ()),
        ("gateway.host", "0.0.0.0", "0.0.0.0"),
    ],
)
def test_text_of_the_environment_and_of_flags_is_read_as_the_type_of_the_setting(load, name, text, value):
    section, key = name.split(".")
    for given_by in ({"environ": {f"ODIN_{section}_{key}".upper(): text}}, {"overrides": {name: text}}):
        found = getattr(getattr(load(**given_by).settings, section), key)
        assert found == value
        assert type(found) is type(value)


def test_an_empty_variable_unsets_what_the_file_sets(load):
    config = load("[publisher]\nseed = 5\n", {"ODIN_PUBLISHER_SEED": ""})
    assert config.settings.publisher.seed is None
    assert config.source("publisher.seed") == "ODIN_PUBLISHER_SEED"


def test_values_of_the_file(load):
    config = load(
        """
        [gateway]
        allowed_origins = ["https://a.example"]
        drain_seconds = 3
        [topics."shop.orders"]
        suffix = "order"
        """
    )
    assert config.settings.gateway.allowed_origins == ("https://a.example",)
    assert config.settings.gateway.drain_seconds == 3.0
    assert config.settings.topics["shop.orders"].suffix == "order"
    assert config.source("gateway.drain_seconds").endswith("odin.toml:4")
    assert config.topic_source("shop.orders").endswith("odin.toml:5")
    assert config.topic_source("shop") == "default"


def test_the_nearest_file_upwards_counts_and_odin_config_names_another(tmp_path):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "odin.toml").touch()
    assert find_file({}, below) == tmp_path / "odin.toml"
    (tmp_path / "a" / "odin.toml").touch()
    assert find_file({}, below) == tmp_path / "a" / "odin.toml"
    assert find_file({"ODIN_CONFIG": "/x/y.toml"}, below).as_posix() == "/x/y.toml"
    assert find_file({"ODIN_CONFIG": "~/y.toml"}, below) == Path.home() / "y.toml"


def test_a_file_that_is_named_but_missing_is_an_error(tmp_path):
    with pytest.raises(ConfigInvalid, match=r"gone\.toml: cannot be read: No such file"):
        load_config(environ={"ODIN_CONFIG": str(tmp_path / "gone.toml")})


def test_variables_that_are_no_settings_of_ours_are_left_alone(load):
    config = load(environ={"PATH": "x", "ODIN": "x", "ODIN_HOME": "x", "ODINGATEWAY_PORT": "x"})
    assert config.settings == Settings()


# One run finds every error: each line of the file below is wrong in its own way.

WRONG = """\
port = 1
[gatway]
x = 1
[gateway]
prot = 4000
port = "4000"
max_errors = true
tick_ms = -1
ring_records = 1.5
allowed_origins = ["https://a.example/", 4]
[publisher]
max_channels = 3
rate = inf
tokens = []
[log]
engine = "kafka"
[topics.orders]
sufix = "order"
[topics.deals]
suffix = "trade"
[topics.empty]
suffix = ""
[topics.keyless]
channel = "orders"
[topics."a b"]
[topics.odin.trades]
suffix = "x"
[topics.both]
suffix = "b"
channel = "b.{key}"
[topics."a..b"]
[topics]
loose = 5
"""

EXPECTED = [
    ("odin.toml:1", "port", "is no section", "gateway.port or publisher.port"),
    ("odin.toml:2", "gatway", "is no section", "gateway"),
    ("odin.toml:5", "gateway.prot", "is no setting", "gateway.port"),
    ("odin.toml:6", "gateway.port", "must be a whole number, not '4000'", ""),
    ("odin.toml:7", "gateway.max_errors", "must be a whole number, not true", ""),
    ("odin.toml:8", "gateway.tick_ms", "must be at least 0, not -1", ""),
    ("odin.toml:9", "gateway.ring_records", "must be a whole number, not 1.5", ""),
    (
        "odin.toml:10",
        "gateway.allowed_origins.0",
        "must be scheme://host[:port] without a path, or *, not 'https://a.example/'",
        "",
    ),
    ("odin.toml:10", "gateway.allowed_origins.1", "must be text in quotes, not 4", ""),
    ("odin.toml:12", "publisher.max_channels", "is no setting", "gateway.max_channels"),
    ("odin.toml:13", "publisher.rate", "must be a finite number, not inf", ""),
    ("odin.toml:14", "publisher.tokens", "must not be empty", ""),
    ("odin.toml:16", "log.engine", "must be 'sqlite', not 'kafka'", ""),
    ("odin.toml:18", "topics.orders.sufix", "is no setting", "topics.orders.suffix"),
    (
        "odin.toml:20",
        "topics.deals",
        "has channels {key}.trade, which topic odin.trades has too ({key}.trade): "
        "events of two topics would mix in one channel",
        "",
    ),
    (
        "odin.toml:22",
        "topics.empty.suffix",
        "must be letters, digits, _ - ~, with dots only between them, not ''",
        "",
    ),
    ("odin.toml:24", "topics.keyless.channel", "must contain {key}, not 'orders'", ""),
    (
        "odin.toml:25",
        'topics."a b"',
        "is no name for a topic: 1 to 249 letters, digits, dots, _ and -",
        "",
    ),
    (
        "odin.toml:26",
        "topics.odin.trades",
        'is no setting; a topic with dots is written [topics."odin.trades"]',
        "",
    ),
    ("odin.toml:28", "topics.both", "has suffix and channel; one must go", ""),
    (
        "odin.toml:31",
        'topics."a..b"',
        "needs another suffix or channel; {key}.a..b must be segments of letters, digits, _ - ~, {key} and "
        "{topic}, joined by dots, for example '{key}.orders'",
        "",
    ),
    ("odin.toml:33", "topics.loose", "must be a table, not 5", ""),
]


def test_every_error_of_the_file_is_told_in_one_run_with_its_line(problems):
    assert problems(WRONG) == EXPECTED


def test_errors_of_all_layers_are_told_together(problems):
    environ = {
        "ODIN_GATEWAY_PROT": "1",
        "ODIN_CONFG": "x",
        "ODIN_TOPICS_ORDERS_SUFFIX": "x",
        "ODIN_LOG_FSYNC": "perhaps",
        "ODIN_GATEWAY_MAX_ERRORS": "",
    }
    found = problems("[gateway]\nport = 0\n", environ, {"publisher.rtae": "1", "publisher.rate": "-1"})
    assert sorted(found) == sorted(
        [
            ("odin.toml:2", "gateway.port", "must be at least 1, not 0", ""),
            ("ODIN_GATEWAY_PROT", "", "is no setting", "ODIN_GATEWAY_PORT"),
            ("ODIN_CONFG", "", "is no setting", "ODIN_CONFIG"),
            ("ODIN_TOPICS_ORDERS_SUFFIX", "", "is no setting; topics are set in odin.toml", ""),
            ("ODIN_LOG_FSYNC", "log.fsync", "must be true or false, not 'perhaps'", ""),
            ("ODIN_GATEWAY_MAX_ERRORS", "gateway.max_errors", "must be a whole number, not ''", ""),
            ("flag", "publisher.rtae", "is no setting", "publisher.rate"),
            ("flag", "publisher.rate", "must be more than 0, not -1.0", ""),
        ]
    )


def test_a_file_that_is_not_toml_tells_its_line_and_the_environment_is_checked_all_the_same(problems):
    found = problems("[gateway]\nport = = 3\n", {"ODIN_GATEWAY_PORT": "x"})
    assert [(where, key) for where, key, _, _ in found] == [
        ("odin.toml:2", ""),
        ("ODIN_GATEWAY_PORT", "gateway.port"),
    ]


def test_a_value_where_a_table_belongs_is_an_error_even_when_a_later_layer_speaks_of_a_key_below(problems):
    found = problems('gateway = 5\ntopics = "x"\n', {"ODIN_GATEWAY_PORT": "4000"})
    assert found == [
        ("odin.toml:1", "gateway", "must be a table, not 5", ""),
        ("odin.toml:2", "topics", "must be a table, not 'x'", ""),
    ]


def test_two_topics_of_your_own_with_the_same_channels_are_an_error_naming_both(problems):
    ((where, key, message, _),) = problems('[topics.a]\nsuffix = "x"\n[topics.b]\nsuffix = "x"\n')
    assert (where, key) == ("odin.toml:4", "topics.b")
    assert "topic a has too" in message


def test_the_same_suffix_is_free_once_the_catalogues_topic_has_another(load):
    config = load('[topics."odin.trades"]\nsuffix = "deal"\n[topics.mine]\nsuffix = "trade"\n')
    assert {topic.name: topic.channel for topic in config.settings.all_topics()}["mine"] == "{key}.trade"


def test_settings_that_do_not_go_together_are_errors(problems):
    text = "[gateway]\nport = 4000\nping_interval_seconds = 60\n"
    assert [(where, key) for where, key, _, _ in problems(text, {"ODIN_PUBLISHER_PORT": "4000"})] == [
        ("odin.toml:3 and odin.toml:1", "gateway.silence_timeout_seconds"),
        ("odin.toml:2 and ODIN_PUBLISHER_PORT", "publisher.port"),
    ]


def test_a_wrong_value_is_not_blamed_a_second_time_through_its_default(problems):
    found = problems("[gateway]\nport = 70000\n[publisher]\nport = 3005\n")
    assert [key for _, key, _, _ in found] == ["gateway.port"]


def test_the_error_lists_all_and_ends_a_command_with_exit_code_2(load):
    with pytest.raises(ConfigInvalid) as caught:
        load("[gateway]\nport = 0\nprot = 1\n")
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith("the configuration has 2 errors:\n  ")
    assert caught.value.message.count("\n") == 2
    assert "gateway.prot is no setting (did you mean gateway.port?)" in caught.value.message
