"""What can be wrong with a configuration, in words: place, key, message and the nearest valid name.

Turns pydantic's findings into `ConfigProblem`s and adds what only the whole can tell: topics whose channels
collide, timeouts and ports that do not go together. It reads nothing; values of secrets are never shown.
"""

import difflib
import itertools
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from odin_ws import catalogue
from odin_ws.config_file import KeyPath
from odin_ws.errors import ExitCode, OdinError
from odin_ws.settings import Settings, TopicSettings, sections, setting_fields

_SECRET = re.compile(r"password|passwd|passphrase|secret|credential|private|api_?key", re.IGNORECASE)
_LONGEST_VALUE_SHOWN = 80
_WORDS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


@dataclass(frozen=True)
class ConfigProblem:
    """One thing wrong: where (file:line, variable or flag), which key, what, and what was perhaps meant."""

    where: str
    key: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        hint = f" (did you mean {self.suggestion}?)" if self.suggestion else ""
        named = f"{self.key} " if self.key else ""
        return f"{self.where}: {named}{self.message}{hint}"


class ConfigInvalid(OdinError):
    """The configuration has errors; `problems` lists them all."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = sorted(problems, key=_line_of)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        count = "1 error" if len(self.problems) == 1 else f"{len(self.problems)} errors"
        super().__init__(
            f"the configuration has {count}:\n{lines}",
            remedy="correct it, then look with: ./odin config check",
            exit_code=ExitCode.USAGE,
        )


def problem_of(detail: dict[str, Any], place_of: Callable[[KeyPath], str]) -> ConfigProblem:
    """One finding of pydantic's as a problem.

    Args:
        detail: an entry of `ValidationError.errors()`.
        place_of: the place that set a path of keys.
    """
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    place, key = place_of(path), dotted(path)
    if detail["type"] == "extra_forbidden":
        if path[0] == "topics" and isinstance(detail["input"], dict):
            name = ".".join([*path[1:]])
            return ConfigProblem(place, key, f'is no setting; a topic with dots is written [topics."{name}"]')
        return ConfigProblem(place, key, *unknown(path))
    words = _words(detail)
    shown = "" if "[key]" in detail["loc"] else _not_this(key, detail["input"], words)
    return ConfigProblem(place, key, words + shown)


def unknown(path: KeyPath) -> tuple[str, str]:
    """What to say of a key that is no setting: message and suggestion."""
    if path[0] == "topics":
        name = nearest(path[-1], TopicSettings.model_fields)
        return "is no setting", dotted((*path[:2], name)) if name else ""
    elsewhere = " or ".join(key for key in setting_fields() if key.split(".")[1] == path[-1])
    if len(path) == 1:
        return "is no section", elsewhere or nearest(path[0], Settings.model_fields)
    if path[0] not in sections():
        return "is no setting", elsewhere or nearest(path[0], sections())
    name = nearest(path[1], sections()[path[0]].model_fields)
    return "is no setting", elsewhere or (dotted((path[0], name)) if name else "")


def problems_of_the_whole(
    settings: Settings, place_of: Callable[[KeyPath], str], wrong: Collection[str] = ()
) -> list[ConfigProblem]:
    """What is wrong though each value by itself is right; keys in `wrong` have been told already."""
    topics = _topic_problems(settings, place_of)
    return [*topics, *_section_problems(settings, place_of, wrong)]


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name`; empty when none is."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), "")


def dotted(path: KeyPath) -> str:
    """A path of keys as it is written in TOML: topics."odin.trades".suffix."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)


def is_secret(key: str) -> bool:
    """Whether the value of a key must not be shown, judged by its name."""
    return _SECRET.search(key) is not None


def _line_of(problem: ConfigProblem) -> float:
    """Problems of the file come in the order of its lines, then the others."""
    line = re.search(r":(\d+)\Z", problem.where)
    return int(line[1]) if line else float("inf")


def _words(detail: dict[str, Any]) -> str:
    if detail["type"] in _WORDS:
        bounds = {name: str(value).removesuffix(".0") for name, value in detail.get("ctx", {}).items()}
        return _WORDS[detail["type"]].format(**bounds)
    return str(detail["msg"]).removeprefix("Value error, ")


def _not_this(key: str, value: object, words: str) -> str:
    if is_secret(key) or not isinstance(value, str | int | float | bool):
        return ""
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    if shown in words or words == "must not be empty":
        return ""
    return f", not {shown if len(shown) <= _LONGEST_VALUE_SHOWN else shown[:_LONGEST_VALUE_SHOWN] + '…'}"


def _topic_problems(settings: Settings, place_of: Callable[[KeyPath], str]) -> list[ConfigProblem]:
    problems = []
    for name, own in settings.topics.items():
        path = ("topics", name)
        if own.suffix is not None and own.channel is not None:
            problems.append(
                ConfigProblem(place_of(path), dotted(path), "has suffix and channel; one must go")
            )
        if problem := catalogue.check_channel_template(own.topic(name).channel, name):
            message = f"needs another suffix or channel; {own.topic(name).channel} {problem}"
            problems.append(ConfigProblem(place_of(path), dotted(path), message))
    for one, other in itertools.combinations(settings.all_topics(), 2):
        if catalogue.channels_collide(one, other):
            problems.append(_collision(one, other, settings, place_of))
    return problems


def _collision(
    one: catalogue.Topic, other: catalogue.Topic, settings: Settings, place_of: Callable[[KeyPath], str]
) -> ConfigProblem:
    """Told at the place of a topic of the user's; the catalogue's topics alone never collide."""
    culprit, rival = (other, one) if other.name in settings.topics else (one, other)
    path = ("topics", culprit.name)
    place = place_of((*path, "channel" if settings.topics[culprit.name].channel else "suffix"))
    message = (
        f"has channels {culprit.channel}, which topic {rival.name} has too ({rival.channel}): "
        "events of two topics would mix in one channel"
    )
    return ConfigProblem(place, dotted(path), message)


def _section_problems(
    settings: Settings, place_of: Callable[[KeyPath], str], wrong: Collection[str]
) -> list[ConfigProblem]:
    gateway, publisher = settings.gateway, settings.publisher
    problems = []

    def clash(key: str, other: str, message: str) -> None:
        if key not in wrong and other not in wrong:
            places = dict.fromkeys(place_of(tuple(name.split("."))) for name in (other, key))
            problems.append(ConfigProblem(" and ".join(places), key, message))

    if gateway.port == publisher.port:
        clash("publisher.port", "gateway.port", f"is {publisher.port}, which is gateway.port too")
    silence, ping = gateway.silence_timeout_seconds, gateway.ping_interval_seconds
    if silence <= ping:
        clash(
            "gateway.silence_timeout_seconds",
            "gateway.ping_interval_seconds",
            f"is {silence:g}, must be more than gateway.ping_interval_seconds ({ping:g}): "
            "a client that only answers pings would be closed",
        )
    return problems
