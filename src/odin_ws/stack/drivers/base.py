"""What a driver must do: run services, tell what they are doing, and remove what they leave.

A driver knows nothing of dependencies, probes or tables; it starts what it is told and reports `Observed`.
All calls block. One command changes a stack at a time (lock.py); observing needs no lock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from odin_ws.stack.services import Service
from odin_ws.stack.states import State


@dataclass(frozen=True)
class Observed:
    """A service at one moment.

    Args:
        state: where it is in its life.
        pid: its process, None where there is none.
        started_at: start of that process, Unix seconds.
        restarts: automatic restarts since the last explicit start.
        reason: how it ended last ("exit status 1"), empty while nothing ended.
        settings: the settings it runs with, as JSON, where they are known.
    """

    state: State = State.NOT_STARTED
    pid: int | None = None
    started_at: float | None = None
    restarts: int = 0
    reason: str = ""
    settings: dict[str, Any] | None = None


class Driver(Protocol):
    """Runs the services of one home."""

    #: How people know it.
    title: str
    #: How often a crashing service is started again before it counts as failed.
    max_restarts: int

    def observe(self) -> Mapping[str, Observed]:
        """What each service of the table is doing now."""
        ...

    def start(self, service: Service) -> None:
        """Start it with the settings in force; does not wait. Raises OdinError (START_FAILED)."""
        ...

    def stop(self, services: Iterable[Service]) -> list[str]:
        """Stop these, all at once, and wait until they are gone; returns the names that were running."""
        ...

    def give_up(self, service: Service) -> None:
        """Stop starting a crashing service again: it becomes `failed_to_start`."""
        ...

    def shut_down(self) -> None:
        """Stop everything, the driver's own processes included; nothing it started survives."""
        ...

    def has_orphans(self) -> bool:
        """Whether something runs that an earlier driver left when it died."""
        ...

    def clean_orphans(self) -> list[str]:
        """End what an earlier driver left running when it died; returns the names."""
        ...

    def log_files(self, service: Service) -> list[Path]:
        """The service's log files, oldest first."""
        ...
