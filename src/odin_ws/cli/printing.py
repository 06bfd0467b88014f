"""How the command line prints: data to stdout as a table or one JSON document, talk to stderr."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_table(head: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Print rows under a head; on a terminal it fits the width, elsewhere lines are never cut."""
    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(width=400, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
