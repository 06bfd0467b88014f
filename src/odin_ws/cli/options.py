"""Options that many commands share, written once: output format, timeout, confirmation.

Each can be given as an option or as the variable that `./task NAME VAR=value` sets.
"""

import re
import sys
from typing import Annotated

import typer

from odin_ws.errors import ExitCode, OdinError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_json = False


def json_wanted() -> bool:
    """Whether this invocation asked for JSON, for failures, which are told where no option is at hand."""
    return _json


def _format(value: str) -> str:
    global _json
    if value not in ("table", "json"):
        raise typer.BadParameter(f"{value!r} is neither table nor json")
    _json = value == "json"
    return value


def _seconds(value: str) -> str:
    if value:
        parse_seconds(value)
    return value


def parse_seconds(text: str) -> float:
    """Seconds of `90`, `90s`, `2m`; raises BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if found is None or float(found[1]) == 0:
        raise typer.BadParameter(f"{text!r} is no time; for example 90 or 2m")
    return float(found[1]) * _UNITS[found[2]]


def confirm(question: str, yes: bool) -> None:
    """Ask before what cannot be undone.

    Raises OdinError: INTERRUPTED for a no, USAGE where nobody can be asked.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise OdinError(
            f"{question} There is no terminal to ask on.",
            remedy="answer with YES=1 or --yes",
            exit_code=ExitCode.USAGE,
        )
    if not typer.confirm(question, err=True):
        raise OdinError("not confirmed; nothing was changed", exit_code=ExitCode.INTERRUPTED)


Output = Annotated[
    str, typer.Option("--output", "-o", envvar="FORMAT", callback=_format, help="table or json.")
]
Timeout = Annotated[
    str,
    typer.Option("--timeout", envvar="TIMEOUT", callback=_seconds, help="How long to wait: 90, 90s or 2m."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", envvar="YES", help="Do not ask.")]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="redpanda, publisher, ws or all.")]
