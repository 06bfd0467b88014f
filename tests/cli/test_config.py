"""`odin config …` as a person or a program sees it, and a wrong configuration under any command."""

import json
import os
import sys
from pathlib import Path

import pytest

from odin_ws import config_problems
from odin_ws.cli import app, context
from odin_ws.config_docs import example_file, settings_tables
from odin_ws.settings import setting_fields


@pytest.fixture
def odin(tmp_path, monkeypatch, capsys):
    """Runs `odin ARGUMENTS` in an empty directory; gives exit code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith("ODIN_")] + ["FORMAT"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(context, "_overrides", {})

    def odin(*arguments):
        context.current.cache_clear()
        monkeypatch.setattr(sys, "argv", ["odin", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    before = dict(os.environ)
    yield odin
    os.environ.clear()
    os.environ.update(before)
    context.current.cache_clear()


def rows(table: str) -> dict[str, list[str]]:
    """Lines of a plain table by their first column."""
    cells = [[cell for cell in line.split("  ") if cell] for line in table.splitlines()]
    return {first: [cell.strip() for cell in rest] for first, *rest in cells}


def test_show_tells_each_value_and_where_it_came_from(odin, monkeypatch):
    Path("odin.toml").write_text("[gateway]\nport = 4005\n[topics.orders]\nsuffix = 'order'\n")
    monkeypatch.setenv("ODIN_PUBLISHER_AUTOSTART", "off")
    code, out, _ = odin("--set", "publisher.rate=7", "config", "show")
    table = rows(out)
    assert code == 0
    assert table["gateway.port"] == ["4005", "odin.toml:2"]
    assert table["publisher.autostart"] == ["false", "ODIN_PUBLISHER_AUTOSTART"]
    assert table["publisher.rate"] == ["7", "flag"]
    assert table["publisher.seed"] == ["unset", "default"]
    assert table["topics.orders"] == ["{key}.order, 12 partitions, 3600 s", "odin.toml:3"]
    assert set(setting_fields()) < set(table)


def test_show_fits_a_hundred_columns(odin):
    _, out, _ = odin("config", "show")
    assert max(map(len, out.splitlines())) <= 100


def test_show_long_has_meanings_and_values_in_full(odin):
    _, out, _ = odin("config", "show", "--long", "publisher.")
    assert "BTC,ETH,SOL,DOGE" in out
    assert "ATOM" in out
    assert str(setting_fields()["publisher.rate"].description) in out


def test_show_can_be_narrowed(odin):
    Path("odin.toml").write_text("[log]\nfsync = true\n")
    assert set(rows(odin("config", "show", "log.")[1])) == {
        "setting",
        *(key for key in setting_fields() if key.startswith("log.")),
    }
    assert set(rows(odin("config", "show", "--changed")[1])) == {"setting", "log.fsync"}
    assert odin("config", "show", "gatway") == (
        2,
        "",
        "error: no setting begins with 'gatway'\n  try: ./odin config show gateway\n",
    )


def test_show_for_programs(odin, tmp_path):
    Path("odin.toml").write_text("[gateway]\nport = 4005\n")
    document = json.loads(odin("config", "show", "-o", "json")[1])
    assert document["file"] == str(tmp_path / "odin.toml")
    assert document["settings"]["gateway.port"] == {"value": 4005, "default": 3005, "source": "odin.toml:2"}
    assert document["settings"]["publisher.seed"]["value"] is None
    assert document["topics"]["odin.trades"] == {
        "channel": "{key}.trade",
        "partitions": 12,
        "retention_seconds": 30,
        "source": "default",
    }


def test_show_hides_the_value_of_a_secret(odin, monkeypatch):
    monkeypatch.setattr(config_problems, "is_secret", lambda key: key == "publisher.seed")
    monkeypatch.setenv("ODIN_PUBLISHER_SEED", "4711")
    for arguments in ((), ("--long",), ("-o", "json")):
        _, out, _ = odin("config", "show", *arguments)
        assert "4711" not in out
        assert "***" in out


def test_check_says_that_all_is_well(odin):
    code, out, _ = odin("config", "check")
    assert (code, out) == (0, "ok: no odin.toml; 0 settings and 0 topics are not at their defaults\n")
    Path("odin.toml").write_text("[gateway]\nport = 4005\n[log]\n[topics.a]\n")
    document = json.loads(odin("config", "check", "-o", "json")[1])
    assert (document["ok"], document["settings_set"], document["topics_set"]) == (True, 1, 1)


WRONG = "[gateway]\nprot = 4005\nring_records = -1\n"
TOLD = [
    "error: the configuration has 2 errors:",
    "  odin.toml:2: gateway.prot is no setting (did you mean gateway.port?)",
    "  odin.toml:3: gateway.ring_records must be at least 0, not -1",
    "  try: correct it, then look with: ./odin config check",
]


@pytest.mark.parametrize(
    "command",
    [
        ("config", "check"),
        ("config", "show"),
        ("serve", "gateway"),
        ("serve", "publisher"),
        ("serve", "log"),
        ("publish", "--dry-run", "-"),
        ("local", "start", "all"),
        ("local", "stop", "ws"),
    ],
    ids=" ".join,
)
def test_a_wrong_configuration_ends_any_command_with_the_list_of_errors(odin, command):
    Path("odin.toml").write_text(WRONG)
    code, out, err = odin(*command)
    assert (code, out) == (2, "")
    assert err.splitlines() == TOLD
    assert not Path(".odin").exists()


def test_check_tells_errors_to_programs(odin):
    Path("odin.toml").write_text(WRONG)
    code, out, _ = odin("config", "check", "-o", "json")
    document = json.loads(out)
    assert (code, document["ok"]) == (2, False)
    assert document["problems"][0] == {
        "where": "odin.toml:2",
        "key": "gateway.prot",
        "message": "is no setting",
        "suggestion": "gateway.port",
    }


def test_example_and_docs_are_printed_even_when_the_file_is_wrong(odin):
    Path("odin.toml").write_text(WRONG)
    assert odin("config", "example") == (0, example_file(), "")
    assert odin("config", "docs") == (0, settings_tables() + "\n", "")
