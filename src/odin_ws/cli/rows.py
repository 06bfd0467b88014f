"""Prints health rows: one table, under it what is wrong with bad rows; or one JSON document.

On a narrow terminal what does not fit in a column goes into lines under the table.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from odin_ws.cli.printing import Cell, Styled, duration, print_json, print_table, say, terminal_width
from odin_ws.errors import ExitCode

if TYPE_CHECKING:
    from odin_ws.stack.health import Row

HEAD = ("service", "state", "health", "where", "uptime", "restarts", "CPU", "memory", "detail")
#: Narrower terminals show details under the table.
WIDE = 120
_HEALTH_STYLES = {"healthy": "green", "unhealthy": "red", "unknown": "dim"}
_STATE_STYLES = {"running": "green", "starting": "yellow", "stopping": "yellow", "restarting": "red"}
_STATUS = {ExitCode.OK: "healthy", ExitCode.UNHEALTHY: "unhealthy", ExitCode.NOT_RUNNING: "not running"}


def print_rows(rows: Sequence["Row"], output: str, *, detailed: bool = False) -> None:
    """Print rows as asked for; `detailed` adds all that the probes said to the JSON."""
    if output == "json":
        print_json(document(rows, detailed=detailed))
        return
    wide = terminal_width() >= WIDE
    print_table(HEAD if wide else HEAD[:-1], [_cells(row)[: None if wide else -1] for row in rows])
    sys.stdout.flush()
    if not wide:
        _print_details(rows)
    if any(row.exit_code is not ExitCode.NOT_RUNNING for row in rows):
        for row in rows:
            if row.exit_code is not ExitCode.OK:
                _explain(row)
    else:
        say(_nothing_started(rows))


def document(rows: Sequence["Row"], *, detailed: bool = False) -> dict[str, Any]:
    """Rows as the JSON document of health, status and start."""
    from odin_ws.stack.health import worst_exit_code

    code = worst_exit_code(rows)
    services = []
    for row in rows:
        fields = asdict(row)
        if not detailed:
            del fields["details"]
        services.append(fields)
    return {"status": _STATUS[code], "exit_code": int(code), "services": services}


def _cells(row: "Row") -> list[Cell]:
    return [
        row.title,
        Styled(row.state_text, _STATE_STYLES.get(row.state, "dim")),
        Styled("-" if row.health == "unknown" else row.health, _HEALTH_STYLES[row.health]),
        row.where,
        duration(row.uptime_seconds),
        str(row.restarts),
        "-" if row.cpu_percent is None else f"{row.cpu_percent:.0f}%",
        "-" if row.memory_mb is None else f"{row.memory_mb:.0f}MB",
        row.detail,
    ]


def _print_details(rows: Sequence["Row"]) -> None:
    for row in rows:
        if row.detail and row.exit_code is ExitCode.OK:
            print(f"  {row.service}: {row.detail}")


def _nothing_started(rows: Sequence["Row"]) -> str:
    if len(rows) == 1:
        return f"{rows[0].title} is not started; start it with: {rows[0].next_command}"
    return "nothing is started; start it with: ./task up"


def _explain(row: "Row") -> None:
    """Why a row is bad, what its log said last, what to type next."""
    reason = row.detail or f"is {row.state_text.replace('_', ' ')}"
    say(f"\n{row.title}: {reason}")
    for line in row.log_tail:
        say(f"    {line}")
    if row.next_command:
        say(f"  try: {row.next_command}")
