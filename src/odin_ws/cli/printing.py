"""How the command line prints: data to stdout as a table or one JSON document, talk to stderr.

On a terminal tables have colour (NO_COLOR turns it off) and fit the width; elsewhere they are plain text,
one row a line, never cut, and rich is not even imported.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple


class Styled(NamedTuple):
    """A cell with a colour or weight, in rich's words; just its text where there is no colour."""

    text: str
    style: str


Cell = str | Styled


def print_table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows under a head; on a terminal it fits the width, elsewhere lines are never cut."""
    if not sys.stdout.isatty():
        print_plain(head, rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            *(Text(_text(cell), style=cell.style if isinstance(cell, Styled) else "") for cell in row)
        )
    Console(highlight=False).print(table)


def print_plain(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows as columns of text, one line a row."""
    lines = [[_text(cell).replace("\n", " ") for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_json(document: Any) -> None:
    """Print the one document of a command."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def say(line: str) -> None:
    """Talk: what is going on, for people, beside the data."""
    print(line, file=sys.stderr, flush=True)


def terminal_width(default: int = 200) -> int:
    """Columns of the terminal that stdout is; `default` where it is none."""
    if not sys.stdout.isatty():
        return default
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return default


def duration(seconds: float | None) -> str:
    """A time span in at most two units: 42s, 3m05s, 2h10m, 4d3h."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600}h"


def _text(cell: Cell) -> str:
    return cell.text if isinstance(cell, Styled) else cell


def _style(cell: Cell) -> str:
    return cell.style if isinstance(cell, Styled) else ""
