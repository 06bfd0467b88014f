"""Reads the configuration in layers and knows where each value came from.

In: `odin.toml` (nearest upwards, or `ODIN_CONFIG`), `ODIN_<SECTION>_<KEY>` variables, overrides. Out: a
`Config` (validated settings, source of every value) or one `ConfigInvalid` that lists every error with
its place and the nearest valid name. What a setting means stands in settings.py.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from odin_ws.errors import ExitCode, OdinError
from odin_ws.settings import Settings

FILE_NAME = "odin.toml"
#: Variables that start with ODIN_ but are no settings.
RESERVED = ("ODIN_HOME", "ODIN_CONFIG")


@dataclass(frozen=True)
class ConfigProblem:
    """One thing wrong: where (file line or variable), which key, what, and what was perhaps meant."""

    where: str
    key: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        hint = f" (did you mean {self.suggestion!r}?)" if self.suggestion else ""
        return f"{self.where}: {self.key}: {self.message}{hint}"


class ConfigInvalid(OdinError):
    """The configuration has errors; `problems` lists them all."""

    def __init__(self, problems: list[ConfigProblem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__(
            f"the configuration has {count}:\n{lines}",
            remedy="correct them, then look with: odin config check",
            exit_code=ExitCode.USAGE,
        )
        self.problems = problems


@dataclass(frozen=True)
class Config:
    """Valid settings, and for each dotted key that is not a default the place that set it."""

    settings: Settings
    sources: dict[str, str]
    file: Path | None

    def source(self, key: str) -> str:
        """Where the value of `key` ("gateway.port") came from; "default" when nobody set it."""
        return self.sources.get(key, "default")


@dataclass
class _Layers:
    """What has been collected so far: nested values, and the place of each dotted key."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def put(self, path: tuple[str, ...], value: object, source: str) -> None:
        table = self.values
        for name in path[:-1]:
            table = table.setdefault(name, {})
        table[path[-1]] = value
        self.sources[".".join(path)] = source


def load_config(
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] | None = None,
    start: Path | None = None,
) -> Config:
    """Read and validate the configuration.

    Args:
        file: the TOML file; None looks at `ODIN_CONFIG`, then for `odin.toml` from `start` upwards.
        environ: the environment.
        overrides: dotted key to value, from command-line flags.
        start: where to look from; the working directory by default.

    Raises:
        ConfigInvalid: with every error that was found.
    """
    path = file or find_file(environ, start)
    layers = _Layers()
    if path is not None:
        _add_file(layers, path)
    _add_environment(layers, environ)
    for key, value in (overrides or {}).items():
        layers.put(tuple(key.split(".")), value, "flag")
    settings = _validate(layers)
    if layers.problems or settings is None:
        raise ConfigInvalid(layers.problems)
    return Config(settings, layers.sources, path)


def find_file(environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Path | None:
    """The configuration file in force, or None where there is none."""
    if named := environ.get("ODIN_CONFIG"):
        return Path(named)
    here = (start or Path.cwd()).resolve()
    return next((d / FILE_NAME for d in (here, *here.parents) if (d / FILE_NAME).is_file()), None)


def setting_keys() -> dict[str, tuple[type[BaseModel], str]]:
    """Every dotted key but those of `topics`, with its section model and field name."""
    keys = {}
    for section, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            keys.update({f"{section}.{name}": (model, name) for name in model.model_fields})
    return keys


def variable_of(key: str) -> str:
    """The environment variable of a dotted key: gateway.port is ODIN_GATEWAY_PORT."""
    return "ODIN_" + key.replace(".", "_").upper()


def _add_file(layers: _Layers, path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except OSError as error:
        layers.problems.append(ConfigProblem(str(path), "file", f"cannot be read: {error.strerror}"))
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        layers.problems.append(ConfigProblem(str(path), "file", f"is not valid TOML: {error}"))
        return
    lines = _lines_of_keys(text)
    for keys, value in _leaves(tree):
        dotted = ".".join(keys)
        line = lines.get(dotted) or lines.get(".".join(keys[:-1]), 1)
        layers.put(keys, value, f"{path.name}:{line}")


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            found.extend(_leaves(value, (*path, name)))
        else:
            found.append(((*path, name), value))
    return found


def _lines_of_keys(text: str) -> dict[str, int]:
    """Line of each dotted key and table; for messages only, so a simple scan is enough."""
    lines: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+([^\]]+)\]", line):
            table = _split_key(header[1])
            lines[".".join(table)] = number
        elif pair := re.match(r"\s*((?:\"[^\"]*\"|'[^']*'|[\w.-])+)\s*=", line):
            lines.setdefault(".".join((*table, *_split_key(pair[1]))), number)
    return lines


def _split_key(text: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", text)
    return tuple(a or b or c for a, b, c in parts)


def _add_environment(layers: _Layers, environ: Mapping[str, str]) -> None:
    known = {variable_of(key): key for key in setting_keys()}
    for name, text in environ.items():
        if not name.startswith("ODIN_") or name in RESERVED:
            continue
        key = known.get(name)
        if key is None:
            layers.problems.append(ConfigProblem("environment", name, "is no setting", _nearest(name, known)))
            continue
        section, leaf = key.split(".")
        layers.put((section, leaf), _from_text(key, text), name)


def _from_text(key: str, text: str) -> object:
    model, name = setting_keys()[key]
    annotation = str(model.model_fields[name].annotation)
    if annotation.startswith("tuple"):
        return [part.strip() for part in text.split(",") if part.strip()]
    if "None" in annotation and text == "":
        return None
    return text


def _validate(layers: _Layers) -> Settings | None:
    try:
        return Settings.model_validate(layers.values)
    except ValidationError as error:
        layers.problems.extend(_problem(layers, dict(detail)) for detail in error.errors())
        return None


def _problem(layers: _Layers, detail: dict[str, Any]) -> ConfigProblem:
    path = tuple(str(part) for part in detail["loc"])
    key = ".".join(path)
    where = layers.sources.get(key) or next(
        (source for known, source in layers.sources.items() if known.startswith(key + ".")), "configuration"
    )
    if detail["type"] == "extra_forbidden":
        return ConfigProblem(where, key, "is no setting", _nearest(key, _keys_beside(path)))
    message = str(detail["msg"]).removeprefix("Value error, ")
    if isinstance(detail.get("input"), (str, int, float, bool)):
        message += f", not {detail['input']!r}"
    return ConfigProblem(where, key, message[0].lower() + message[1:])


def _keys_beside(path: tuple[str, ...]) -> list[str]:
    if path[0] == "topics" and len(path) > 2:
        from odin_ws.settings import TopicSettings

        return [f"topics.{path[1]}.{name}" for name in TopicSettings.model_fields]
    return [*setting_keys(), *Settings.model_fields]


def _nearest(name: str, known: Mapping[str, object] | list[str]) -> str:
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else ""
