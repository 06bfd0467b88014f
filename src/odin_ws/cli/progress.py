"""Shows services coming up: a live block on a terminal, elsewhere one line a change; all on stderr.

A context manager around a verb: `tell` takes its lines, `change` its changes of state.
"""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from odin_ws.cli.printing import say
from odin_ws.stack.services import Service

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_STYLES = {"healthy": "green", "starting": "yellow"}


class Progress:
    """What is known of services while a command waits for them."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._words: dict[str, tuple[Service, str, float]] = {}
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, highlight=False)
            self._live = Live(get_renderable=self._render, console=console, refresh_per_second=10)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self.tell("what has been started goes on running: ./task status shows it, ./task down stops it")

    def tell(self, line: str) -> None:
        """A line for people."""
        if self._live is not None:
            self._live.console.print(line, markup=False)
        else:
            say(line)

    def change(self, service: Service, words: str) -> None:
        """A service is now in this state."""
        seconds = time.monotonic() - self._began
        self._words[service.name] = (service, words, seconds)
        if self._live is None:
            after = f" after {seconds:.1f} s" if words == "healthy" else ""
            say(f"{service.title}: {words}{after}")

    def _render(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        now = time.monotonic() - self._began
        for service, words, since in self._words.values():
            done = words == "healthy"
            style = _STYLES.get(words, "dim")
            table.add_row(
                service.title, Text(words, style=style), Text(f"{since if done else now:.1f} s", style="dim")
            )
        return table
