"""What every command starts from: the configuration and the state directory in force.

Overrides by flags come first (`override`), then whoever needs the configuration asks for `current`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from odin_ws.config import Config, load_config
from odin_ws.home import Home, find_home
from odin_ws.settings import Settings, setting_fields, variable_of

_overrides: dict[str, str] = {}


@dataclass(frozen=True)
class Context:
    """Configuration and home of this invocation."""

    config: Config
    home: Home

    @property
    def settings(self) -> Settings:
        """The validated settings."""
        return self.config.settings


@cache
def current() -> Context:
    """Load once per process; raises ConfigInvalid."""
    return Context(load_config(overrides=_overrides), find_home())


def override(values: Mapping[str, str]) -> None:
    """Let flags win over file and environment, here and in the services that this process starts.

    Args:
        values: dotted key to text. What is wrong with them is told by `current`, with all other errors.
    """
    _overrides.update(values)
    known = setting_fields()
    os.environ.update({variable_of(key): text for key, text in values.items() if key in known})
    current.cache_clear()
