"""Writes the settings down for people: odin.toml, and the tables of docs/configuration.md.

`odin config example` prints the file, `odin config docs` the tables; tests hold the committed ones equal to
this. What they say is taken from settings.py; values in force and checks are config.py's business.
"""

import json
import re
import textwrap
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from odin_ws.settings import Section, TopicSettings, sections, variable_of

_WIDTH = 100
BEGIN = "<!-- settings: what follows is printed by `odin config docs` -->"
END = "<!-- end of settings -->"

_HEAD = """\
The one configuration file. Every key stands here at its default, commented out.
ODIN_<SECTION>_<KEY> in the environment wins over this file: {variable}=4005.
`odin config show` prints the values in force and where each came from,
`odin config check` finds every error. docs/configuration.md explains more;
`odin config example` prints this file anew."""

_TOPICS = """\
Your own topics, one table each. Records of topic `orders` with key `42` reach channel `42.order`.
The catalogue's topics can be changed too: [topics."odin.trades"] with only the keys to change."""

_BOUNDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


def example_file() -> str:
    """odin.toml with every setting explained and commented out at its default."""
    parts = [_comment(_HEAD.format(variable=variable_of("gateway.port")))]
    for section, model in sections().items():
        parts.append(f"{_comment(_door(model))}\n[{section}]")
        parts += [_entry(name, info) for name, info in model.model_fields.items()]
    parts.append(f"{_comment(_TOPICS)}\n# [topics.orders]")
    parts += [_entry(name, info) for name, info in TopicSettings.model_fields.items()]
    return "\n\n".join(parts) + "\n"


def settings_tables() -> str:
    """The settings as Markdown, one table a section."""
    parts = [_table(f"[{section}]", model) for section, model in sections().items()]
    return "\n\n".join([*parts, _table("[topics.NAME]", TopicSettings)])


def with_tables(page: str) -> str:
    """A page with the tables anew between BEGIN and END; raises ValueError where these are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page must hold {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{settings_tables()}\n\n{END}{after}"


def allowed(info: FieldInfo) -> str:
    """What a setting may be: its type, and its bounds or choices."""
    metadata = [*_nested_metadata(info.annotation), *info.metadata]
    if "min_length" in {name for item in metadata for name in vars_of(item)}:
        bounds = ["not empty"]
    else:
        bounds = [
            f"{words} {str(vars_of(item)[name]).removesuffix('.0')}"
            for name, words in _BOUNDS.items()
            for item in metadata
            if name in vars_of(item)
        ]
    return ", ".join([_type_words(info.annotation), *bounds])


def default_of(info: FieldInfo) -> Any:
    """The default; None where it is unset."""
    return None if info.default is PydanticUndefined else info.default


def toml_of(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml_of, value))}]"
    return json.dumps(value, ensure_ascii=False)


def vars_of(item: object) -> dict[str, Any]:
    """The bounds that a piece of a field's metadata holds, such as {"ge": 1}."""
    names = ("min_length", *_BOUNDS)
    return {name: getattr(item, name) for name in names if getattr(item, name, None) is not None}


def _nested_metadata(annotation: Any) -> list[Any]:
    return list(getattr(annotation, "__metadata__", ()))


def _entry(name: str, info: FieldInfo) -> str:
    value, unset = default_of(info), ""
    if value is None:
        value, unset = (info.examples or [""])[0], "; unset by default, here an example"
    text = f"{info.description} ({allowed(info)}{unset})"
    return f"{_comment(text)}\n{_commented_value(name, value)}"


def _commented_value(name: str, value: object) -> str:
    line = f"# {name} = {toml_of(value)}"
    if len(line) <= _WIDTH or not isinstance(value, tuple):
        return line
    items = textwrap.wrap(", ".join(map(toml_of, value)), _WIDTH - 6)
    return "\n".join([f"# {name} = [", *(f"#     {item}" for item in items), "# ]"])


def _comment(text: str) -> str:
    paragraphs = (textwrap.wrap(line, _WIDTH - 2, break_on_hyphens=False) for line in text.splitlines())
    return "\n".join(f"# {line}" for lines in paragraphs for line in lines)


def _table(title: str, model: type[Section]) -> str:
    rows = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for name, info in model.model_fields.items():
        default = default_of(info)
        shown = "unset" if default is None else f"`{toml_of(default)}`"
        rows.append(f"| `{name}` | {shown} | {allowed(info)} | {_cell(str(info.description))} |")
    return "\n".join([f"### {title}", "", _cell(_door(model)), "", *rows])


def _cell(text: str) -> str:
    """Text for Markdown: no column ends in it, and <…> and {…} stay visible."""
    return re.sub(r"(<\w+>(?:\.<\w+>)*|\{\w+\})", r"`\1`", text.replace("|", "\\|"))


def _door(model: type[Section]) -> str:
    return " ".join(str(model.__doc__).split())


def _type_words(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(toml_of(choice) for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list of text"
    kinds = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    for kind, words in kinds.items():
        if annotation is kind or kind in get_args(annotation):
            return words
    raise TypeError(f"no words for {annotation}")
