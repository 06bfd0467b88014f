"""Reads the configuration in layers and knows where each value came from.

In: `odin.toml` (nearest upwards, or `ODIN_CONFIG`), `ODIN_<SECTION>_<KEY>` variables, overrides by flags.
Out: a `Config` (validated settings, source of every value) or one `ConfigInvalid` that lists every error.
What a setting means stands in settings.py; how errors are told, in config_problems.py.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from odin_ws import config_file
from odin_ws.config_file import KeyPath
from odin_ws.config_problems import (
    ConfigInvalid,
    ConfigProblem,
    dotted,
    nearest,
    problem_of,
    problems_of_the_whole,
    unknown,
)
from odin_ws.settings import Settings, setting_fields, variable_of

__all__ = ["Config", "ConfigInvalid", "ConfigProblem", "find_file", "load_config"]

FILE_NAME = "odin.toml"
#: Variables that start with ODIN_ but are no settings.
RESERVED = ("ODIN_HOME", "ODIN_CONFIG")
DEFAULT = "default"
FLAG = "flag"


@dataclass(frozen=True)
class Config:
    """Valid settings, the place that set each path of keys, and the file that was read."""

    settings: Settings
    sources: Mapping[KeyPath, str]
    file: Path | None

    def source(self, key: str) -> str:
        """Where the value of `key` ("gateway.port") came from; "default" when nobody set it."""
        return self.sources.get(tuple(key.split(".")), DEFAULT)

    def topic_source(self, name: str) -> str:
        """Where the topic `name` was set or changed; "default" for one of the catalogue."""
        return self.sources.get(("topics", name)) or next(
            (source for path, source in self.sources.items() if path[:2] == ("topics", name)), DEFAULT
        )


def load_config(
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Config:
    """Read and validate the configuration.

    Args:
        file: the TOML file; None looks at `ODIN_CONFIG`, then for `odin.toml` from `start` upwards.
        environ: the environment.
        overrides: dotted key to text, from command-line flags; text is read as in the environment.
        start: where to look from; the working directory by default.

    Raises:
        ConfigInvalid: with every error that was found.
    """
    path = file or find_file(environ, start)
    layers = _Layers()
    if path is not None:
        _add_file(layers, path)
    _add_environment(layers, environ)
    _add_overrides(layers, overrides or {})
    settings = _validate(layers)
    if layers.problems:
        raise ConfigInvalid(layers.problems)
    return Config(settings, layers.sources, path)


def find_file(environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Path | None:
    """The configuration file in force, or None where there is none."""
    if named := environ.get("ODIN_CONFIG"):
        return Path(named).expanduser()
    here = (start or Path.cwd()).resolve()
    return next((d / FILE_NAME for d in (here, *here.parents) if (d / FILE_NAME).is_file()), None)


@dataclass
class _Layers:
    """What has been collected so far: nested values, the place of each path, and what is wrong."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def put(self, path: KeyPath, value: object, source: str) -> None:
        """Set a value; a table that an earlier layer gave as something else stays as it is, an error."""
        table = self.values
        for name in path[:-1]:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                return
        table[path[-1]] = value
        self.sources[path] = source

    def put_text(self, key: str, text: str, source: str) -> None:
        """Set a setting from text: true/1/on, numbers, lists by comma, nothing for unset."""
        try:
            self.put(tuple(key.split(".")), _from_text(setting_fields()[key].annotation, text), source)
        except ValidationError as error:
            detail = {**error.errors()[0], "loc": tuple(key.split("."))}
            self.problems.append(problem_of(detail, lambda path: source))

    def place_of(self, path: KeyPath) -> str:
        """The place that set a path, else the nearest around it."""
        around = (self.sources.get(path[:size]) for size in range(len(path), 0, -1))
        return next(filter(None, around), DEFAULT)


def _add_file(layers: _Layers, path: Path) -> None:
    try:
        leaves, lines = config_file.read_file(path)
    except config_file.Unreadable as error:
        place = f"{path}:{error.line}" if error.line else str(path)
        layers.problems.append(ConfigProblem(place, "", error.message))
        return
    shown = _shown(path)
    for leaf in leaves:
        value = tuple(leaf.value) if isinstance(leaf.value, list) else leaf.value
        layers.put(leaf.path, value, shown)
    layers.sources.update({keys: f"{shown}:{line}" for keys, line in lines.items()})


def _shown(path: Path) -> str:
    """The file as people know it: from where they are, when that is shorter."""
    return min((str(path), os.path.relpath(path)), key=len)


def _add_environment(layers: _Layers, environ: Mapping[str, str]) -> None:
    known = {variable_of(key): key for key in setting_fields()}
    for name, text in sorted(environ.items()):
        if name in known:
            layers.put_text(known[name], text, name)
        elif name.startswith("ODIN_TOPICS_"):
            layers.problems.append(ConfigProblem(name, "", "is no setting; topics are set in odin.toml"))
        elif name.startswith("ODIN_") and name not in RESERVED:
            near = nearest(name, [*known, *RESERVED])
            layers.problems.append(ConfigProblem(name, "", "is no setting", near))


def _add_overrides(layers: _Layers, overrides: Mapping[str, str]) -> None:
    known = setting_fields()
    for key, text in overrides.items():
        if key in known:
            layers.put_text(key, text, FLAG)
        else:
            layers.problems.append(ConfigProblem(FLAG, key, *unknown(tuple(key.split(".")))))


def _from_text(annotation: Any, text: str) -> object:
    """Text as the type of a setting; whether it is in range is seen later. Raises ValidationError."""
    if str(annotation).startswith("tuple"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if text == "" and type(None) in getattr(annotation, "__args__", ()):
        return None
    return TypeAdapter(annotation).validate_python(text.strip())


def _validate(layers: _Layers) -> Settings:
    """The settings, with defaults in place of what is wrong, so that one run finds every error."""
    try:
        settings = Settings.model_validate(layers.values, strict=True)
        wrong: list[KeyPath] = []
    except ValidationError as error:
        details: list[dict[str, Any]] = [dict(detail) for detail in error.errors()]
        layers.problems.extend(problem_of(detail, layers.place_of) for detail in details)
        wrong = [tuple(str(part) for part in detail["loc"]) for detail in details]
        settings = Settings.model_validate(_without(layers.values, wrong), strict=True)
    told = {dotted(path[:2]) for path in wrong}
    layers.problems.extend(problems_of_the_whole(settings, layers.place_of, told))
    return settings


def _without(values: dict[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """A copy without the wrong settings; of a topic with something wrong nothing is left."""
    kept = {name: dict(table) if isinstance(table, dict) else table for name, table in values.items()}
    for section, *keys in paths:
        if not keys or not isinstance(kept.get(section), dict):
            kept.pop(section, None)
        else:
            kept[section].pop(keys[0], None)
    return kept
