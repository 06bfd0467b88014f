"""A stack: the services of one environment with the settings, the home and the driver that runs them.

What every verb takes as its first argument. `open_stack` puts it together from configuration; tests give
their own table of services.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from odin_ws.config import Config
from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack.drivers.base import Driver, Observed
from odin_ws.stack.services import Service

#: Where a verb tells what it is doing: one line at a time.
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Stack:
    """What the verbs work on."""

    settings: Settings
    home: Home
    services: tuple[Service, ...]
    driver: Driver

    def settings_of(self, observed: Observed) -> Settings:
        """The settings a running service was started with; those in force where they are not known."""
        if observed.settings is None:
            return self.settings
        try:
            return Settings.model_validate(observed.settings)
        except ValueError:
            return self.settings


def open_stack(config: Config, home: Home, services: Sequence[Service] | None = None) -> Stack:
    """The stack of this configuration and home, on the driver that the settings name."""
    from odin_ws.stack.drivers.process import ProcessDriver
    from odin_ws.stack.services import SERVICES

    table = tuple(SERVICES if services is None else services)
    directory = config.file.resolve().parent if config.file else Path.cwd()
    driver = ProcessDriver(home, config.settings, table, directory, config.file)
    return Stack(config.settings, home, table, driver)
