"""What every command starts from: the configuration and the state directory in force."""

from dataclasses import dataclass
from functools import cache

from odin_ws.config import Config, load_config
from odin_ws.home import Home, find_home
from odin_ws.settings import Settings


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
    return Context(load_config(), find_home())
