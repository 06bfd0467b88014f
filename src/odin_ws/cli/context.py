"""What every command starts from: the configuration and the state directory in force.

Overrides by flags come first (`override`), then whoever needs the configuration asks for `current`.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from odin_ws.config import Config, load_config
from odin_ws.errors import ExitCode, OdinError
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


def override(assignments: Iterable[str]) -> None:
    """Let flags win over file and environment, here and in the services that this process starts.

    What is wrong with a key or value is told by `current`, together with all other errors.

    Args:
        assignments: `KEY=VALUE`, such as `gateway.port=4005`.

    Raises:
        OdinError: (USAGE) for one without a key or `=`.
    """
    known = setting_fields()
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not (key and equals):
            raise OdinError(
                f"--set takes KEY=VALUE, not {assignment!r}",
                remedy="odin --set gateway.port=4005 config show",
                exit_code=ExitCode.USAGE,
            )
        _overrides[key] = text
        if key in known:
            os.environ[variable_of(key)] = text
    current.cache_clear()
