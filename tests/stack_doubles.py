"""Doubles of the stack: a driver that only remembers, and services whose probes say what they are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack.drivers.base import Observed
from odin_ws.stack.probes import Outcome
from odin_ws.stack.services import Service
from odin_ws.stack.stack import Stack
from odin_ws.stack.states import State

WELL = Outcome(True, "all is well", {"figure": 1}, 2.0)
ILL = Outcome(False, "feed: 12000 records behind", {}, 2.0)


@dataclass
class FakeDriver:
    """Starts by setting a state; `lives` scripts what the next observations of a service see."""

    seen: dict[str, Observed]
    lives: dict[str, list[State]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    logs: Path = Path("/nonexistent")
    title: str = "fake"
    max_restarts: int = 4
    orphans: list[str] = field(default_factory=list)

    def observe(self) -> Mapping[str, Observed]:
        for name, states in self.lives.items():
            if states:
                self.seen[name] = replace(self.seen[name], state=states.pop(0))
        return dict(self.seen)

    def start(self, service: Service) -> None:
        self.calls.append(f"start {service.name}")
        self.seen[service.name] = Observed(State.STARTING)

    def stop(self, services: Iterable[Service]) -> list[str]:
        stopped = [s.name for s in services if self.seen[s.name].state is not State.NOT_STARTED]
        self.calls.append(f"stop {' '.join(stopped)}")
        for name in stopped:
            self.seen[name] = Observed()
        return stopped

    def give_up(self, service: Service) -> None:
        self.calls.append(f"give up {service.name}")

    def shut_down(self) -> None:
        self.calls.append("shut down")
        self.seen = {name: Observed() for name in self.seen}

    def has_orphans(self) -> bool:
        return bool(self.orphans)

    def clean_orphans(self) -> list[str]:
        ended, self.orphans = self.orphans, []
        return ended

    def log_files(self, service: Service) -> list[Path]:
        path = self.logs / f"{service.name}.log"
        return [path] if path.exists() else []


def fake_service(name: str, needs: tuple[str, ...] = (), outcomes: Iterable[Outcome] = (), **more) -> Service:
    """A service whose probe gives these outcomes in turn, and the last one for ever."""
    left = list(outcomes) or [WELL]

    def probe(settings: Settings, home: Home, timeout_seconds: float) -> Outcome:
        return left.pop(0) if len(left) > 1 else left[0]

    return Service(name, name, needs, ("-c", "pass"), probe, **more)


def fake_stack(home: Home, *services: Service, **seen: Observed) -> Stack:
    """A stack of these services, all not started but those given."""
    driver = FakeDriver({s.name: seen.get(s.name, Observed()) for s in services}, logs=home.logs)
    return Stack(Settings(), home, services, driver)
