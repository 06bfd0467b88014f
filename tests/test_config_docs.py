"""The committed odin.toml and docs/configuration.md say what settings.py says."""

import re
import tomllib
from pathlib import Path

import pytest

from odin_ws.config import load_config
from odin_ws.config_docs import BEGIN, END, allowed, example_file, settings_tables, toml_of, with_tables
from odin_ws.settings import Settings, TopicSettings, setting_fields

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "configuration.md").read_text()


def uncommented(text: str) -> str:
    """The file with every key in force, as a reader gets it who deletes `# ` before the values."""
    lines = []
    inside_list = False
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        if inside_list or re.match(r"\w+ = |\[topics\.", bare):
            inside_list = bare.endswith("[") or (inside_list and bare != "]")
            lines.append(bare)
        else:
            lines.append(line)
    return "\n".join(lines)


def test_the_committed_file_is_the_one_that_odin_config_example_prints():
    assert (ROOT / "odin.toml").read_text() == example_file()


def test_the_file_changes_nothing_as_it_stands(tmp_path):
    (tmp_path / "odin.toml").write_text(example_file())
    assert load_config(environ={}, start=tmp_path).settings == Settings()


def test_the_file_names_every_setting_at_its_true_default(tmp_path):
    tree = tomllib.loads(uncommented(example_file()))
    for key, info in setting_fields().items():
        section, name = key.split(".")
        expected = info.examples[0] if info.default is None else info.default
        found = tree[section][name]
        assert (tuple(found) if isinstance(found, list) else found) == expected, key
    assert set(tree["topics"]["orders"]) == set(TopicSettings.model_fields)
    assert sum(len(tree[section]) for section in tree if section != "topics") == len(setting_fields())


def test_every_line_of_the_file_fits_a_terminal():
    assert max(map(len, example_file().splitlines())) <= 100


def test_the_page_holds_the_tables_that_odin_config_docs_prints():
    assert with_tables(PAGE) == PAGE


def test_the_tables_name_every_setting():
    tables = settings_tables()
    assert [name for name in setting_fields() if f"| `{name.split('.')[1]}` |" not in tables] == []


def test_a_page_without_the_marks_is_refused():
    assert with_tables(f"a\n{BEGIN}\nold\n{END}\nb").splitlines()[0] == "a"
    with pytest.raises(ValueError, match="must hold"):
        with_tables("no marks")


def test_the_example_of_the_page_is_valid(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "odin.toml").write_text(example)
    topics = {t.name: t for t in load_config(environ={}, start=tmp_path).settings.all_topics()}
    assert topics["orders"].channel_for(b"42") == "42.order"
    assert topics["shop.returns"].channel_for(b"42") == "returns.42"
    assert topics["odin.trades"].channel_for(b"BTC") == "BTC.trade"
    assert topics["odin.trades"].retention_seconds == 120


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("gateway.port", "whole number, at least 1, at most 65535"),
        ("publisher.rate", "number, more than 0, at most 100000"),
        ("gateway.host", "text, not empty"),
        ("log.engine", 'one of "sqlite"'),
        ("publisher.seed", "whole number"),
        ("publisher.tokens", "list of text, not empty"),
        ("log.fsync", "true or false"),
    ],
)
def test_what_a_setting_may_be_in_words(key, words):
    assert allowed(setting_fields()[key]) == words


def test_values_as_toml_writes_them():
    for value in (True, 3, 2.5, 'a "b" é', ("x", "y"), ()):
        (found,) = tomllib.loads(f"v = {toml_of(value)}").values()
        assert (tuple(found) if isinstance(found, list) else found) == value
