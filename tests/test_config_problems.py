"""Problems in words: the nearest name, keys as TOML writes them, and no value of a secret."""

import pytest

from odin_ws.config_problems import (
    ConfigInvalid,
    ConfigProblem,
    dotted,
    is_secret,
    nearest,
    problem_of,
    problems_of_the_whole,
    unknown,
)
from odin_ws.settings import GatewaySettings, PublisherSettings, Settings, TopicSettings, setting_fields


def here(path):
    return f"file:{len(path)}"


def test_a_problem_reads_as_place_key_message_and_hint():
    assert (
        str(ConfigProblem("f:1", "a.b", "is no setting", "a.c"))
        == "f:1: a.b is no setting (did you mean a.c?)"
    )
    assert str(ConfigProblem("f:1", "", "is not valid TOML")) == "f:1: is not valid TOML"


def test_problems_come_in_the_order_of_the_file_then_the_others():
    problems = [ConfigProblem(where, "k", "m") for where in ("ODIN_X", "odin.toml:10", "odin.toml:9", "flag")]
    assert [p.where for p in ConfigInvalid(problems).problems] == [
        "odin.toml:9",
        "odin.toml:10",
        "ODIN_X",
        "flag",
    ]


@pytest.mark.parametrize(
    ("path", "message", "suggestion"),
    [
        (("gateway", "max_conections"), "is no setting", "gateway.max_connections"),
        (("gateway", "seed"), "is no setting", "publisher.seed"),
        (("publsher", "x"), "is no setting", "publisher"),
        (("topics", "o", "zzz"), "is no setting", ""),
        (("publsher",), "is no section", "publisher"),
        (("topic",), "is no section", "topics"),
        (("seed",), "is no section", "publisher.seed"),
        (("topics", "o", "partition"), "is no setting", "topics.o.partitions"),
        (("gateway", "zzzzzz"), "is no setting", ""),
    ],
)
def test_what_was_perhaps_meant(path, message, suggestion):
    assert unknown(path) == (message, suggestion)


def test_nearest_is_empty_when_nothing_is_near():
    assert nearest("gateway.prot", setting_fields()) == "gateway.port"
    assert nearest("qqqq", setting_fields()) == ""


def test_keys_are_quoted_as_toml_wants_them():
    assert dotted(("topics", "odin.trades", "suffix")) == 'topics."odin.trades".suffix'
    assert dotted(("gateway", "port")) == "gateway.port"


@pytest.mark.parametrize(
    "name", ["stack.grafana_password", "x.client_secret", "kafka.sasl_credentials", "a.API_KEY"]
)
def test_a_secrets_value_is_never_told(name):
    detail = {"loc": tuple(name.split(".")), "type": "int_type", "msg": "", "input": "hunter2"}
    assert is_secret(name)
    assert "hunter2" not in str(problem_of(detail, here))


def test_no_setting_of_today_is_taken_for_a_secret():
    assert [key for key in setting_fields() if is_secret(key)] == []


def test_the_value_of_an_unknown_key_is_never_told():
    detail = {"loc": ("gateway", "pass"), "type": "extra_forbidden", "msg": "", "input": "hunter2"}
    assert "hunter2" not in str(problem_of(detail, here))


def test_a_long_value_is_cut():
    detail = {"loc": ("gateway", "port"), "type": "int_type", "msg": "", "input": "x" * 5000}
    assert len(str(problem_of(detail, here))) < 200


def test_the_defaults_go_together():
    assert problems_of_the_whole(Settings(), here) == []


def test_what_is_told_already_is_not_told_again():
    settings = Settings(gateway=GatewaySettings(port=4000), publisher=PublisherSettings(port=4000))
    assert [p.key for p in problems_of_the_whole(settings, here)] == ["publisher.port"]
    assert problems_of_the_whole(settings, here, ["gateway.port"]) == []


def test_a_collision_is_told_at_the_topic_of_the_user():
    settings = Settings(topics={"odin.trades": TopicSettings(suffix="social")})
    (problem,) = problems_of_the_whole(settings, here)
    assert problem.key == 'topics."odin.trades"'
    assert "odin.social" in problem.message
