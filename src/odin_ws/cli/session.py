"""The stack of this invocation, and the timeout in force: what commands of `odin local` start from."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from odin_ws.stack.stack import Stack


def open_current() -> "Stack":
    """The stack of the configuration and home in force; raises ConfigInvalid."""
    from odin_ws.cli.context import current
    from odin_ws.stack.stack import open_stack

    context = current()
    return open_stack(context.config, context.home)


def open_despite_problems() -> tuple["Stack", list[str]]:
    """The stack, and what is wrong with the configuration; with defaults where it cannot be read.

    For preflight, which lists every problem, a broken configuration among them.
    """
    from odin_ws.config import Config, ConfigInvalid
    from odin_ws.home import find_home
    from odin_ws.settings import Settings
    from odin_ws.stack.stack import open_stack

    try:
        return open_current(), []
    except ConfigInvalid as error:
        config = Config(Settings(), {}, None)
        return open_stack(config, find_home()), [str(problem) for problem in error.problems]


def seconds_or_default(timeout: str, stack: "Stack") -> float:
    """The timeout that was asked for, else the settings' own."""
    from odin_ws.cli.options import parse_seconds

    return parse_seconds(timeout) if timeout else stack.settings.stack.start_timeout_seconds
