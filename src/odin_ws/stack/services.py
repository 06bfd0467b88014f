"""The table of services: one row each, and everything that verbs of any driver need to know about it.

A new service is a new row: name, what it needs, how it is started, probed, reached and shown. Nothing here
runs anything; drivers start rows, health.py probes them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack import probes


@dataclass(frozen=True)
class Endpoint:
    """Where a service listens, and for what."""

    role: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Url:
    """An address for people to try: `url` as shown, `check` as requested to see whether it answers."""

    title: str
    url: str
    check: str


def _no_endpoints(_: Settings) -> tuple[Endpoint, ...]:
    return ()


def _no_urls(_: Settings) -> tuple[Url, ...]:
    return ()


def _first_endpoint(service: "Service", settings: Settings, home: Home) -> str:
    endpoints = service.endpoints(settings)
    return str(endpoints[0]) if endpoints else "-"


@dataclass(frozen=True)
class Service:
    """A row of the table.

    Args:
        name: its name in every verb.
        title: how it is shown; says what stands behind the name.
        needs: names of services that must be healthy before it starts.
        command: arguments to the Python interpreter.
        probe: asks it how it is, as its clients would; see probes.py.
        endpoints: where it listens, by settings.
        where: where it is found, in a few words, by settings and home.
        urls: what a person can open, by settings.
        colour: its colour in merged logs (a name that rich knows).
        reads: sections of the settings that it reads at its start.
        buildable: whether `rebuild` applies to it.
        keeps_data: whether it owns the data directory, which `delete` removes.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    command: tuple[str, ...]
    probe: probes.Probe
    endpoints: Callable[[Settings], tuple[Endpoint, ...]] = _no_endpoints
    where: Callable[["Service", Settings, Home], str] = _first_endpoint
    urls: Callable[[Settings], tuple[Url, ...]] = _no_urls
    colour: str = "white"
    reads: tuple[str, ...] = ()
    buildable: bool = False
    keeps_data: bool = False


def _gateway_urls(settings: Settings) -> tuple[Url, ...]:
    host = reachable_host(settings.gateway.host)
    base = f"{host}:{settings.gateway.port}"
    return (
        Url("WebSocket", f"ws://{base}/ws", f"http://{base}/ws"),
        Url("gateway health", f"http://{base}/health", f"http://{base}/health"),
        Url("gateway metrics", f"http://{base}/metrics", f"http://{base}/metrics"),
    )


def _publisher_urls(settings: Settings) -> tuple[Url, ...]:
    base = f"http://{reachable_host(settings.publisher.host)}:{settings.publisher.port}"
    return (
        Url("publisher API", f"{base}/docs", f"{base}/docs"),
        Url("publisher stats", f"{base}/stats", f"{base}/stats"),
    )


def _gateway_endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    return (Endpoint("WebSocket, health, metrics", settings.gateway.host, settings.gateway.port),)


def _publisher_endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    return (Endpoint("control API", settings.publisher.host, settings.publisher.port),)


def _data_directory(service: Service, settings: Settings, home: Home) -> str:
    here = Path.cwd()
    return str(home.data.relative_to(here) if home.data.is_relative_to(here) else home.data)


SERVICES: tuple[Service, ...] = (
    Service(
        name="redpanda",
        title="redpanda (embedded log)",
        needs=(),
        command=("-m", "odin_ws", "serve", "log"),
        probe=probes.probe_embedded_log,
        where=_data_directory,
        colour="magenta",
        reads=("log", "topics"),
        keeps_data=True,
    ),
    Service(
        name="publisher",
        title="publisher",
        needs=("redpanda",),
        command=("-m", "odin_ws", "serve", "publisher"),
        probe=probes.probe_publisher,
        endpoints=_publisher_endpoints,
        urls=_publisher_urls,
        colour="yellow",
        reads=("log", "topics", "publisher"),
        buildable=True,
    ),
    Service(
        name="ws",
        title="ws",
        needs=("redpanda",),
        command=("-m", "odin_ws", "serve", "gateway"),
        probe=probes.probe_gateway,
        endpoints=_gateway_endpoints,
        urls=_gateway_urls,
        colour="cyan",
        reads=("log", "topics", "gateway"),
        buildable=True,
    ),
)


def reachable_host(host: str) -> str:
    """The address to connect to for a service that listens on `host`; IPv6 in brackets."""
    if host in ("0.0.0.0", ""):
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host


def select(services: Sequence[Service], name: str) -> tuple[Service, ...]:
    """The services a verb means by `name`, all of them for `all`.

    Raises OdinError (USAGE) with the nearest name for one that does not exist.
    """
    if name == "all":
        return tuple(services)
    found = tuple(service for service in services if service.name == name)
    if found:
        return found
    names = [*(service.name for service in services), "all"]
    near = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise OdinError(
        f"there is no service {name!r}{hint}",
        remedy=f"one of: {', '.join(names)}",
        exit_code=ExitCode.USAGE,
    )


def with_needs(services: Sequence[Service], wanted: Iterable[Service]) -> tuple[Service, ...]:
    """`wanted` and all they need, in the table's order (which is a valid order of starting)."""
    names: set[str] = set()
    queue = [service.name for service in wanted]
    by_name = {service.name: service for service in services}
    while queue:
        name = queue.pop()
        if name not in names:
            names.add(name)
            queue.extend(by_name[name].needs)
    return tuple(service for service in services if service.name in names)


def dependents(services: Sequence[Service], wanted: Iterable[Service]) -> tuple[Service, ...]:
    """Services outside `wanted` that need one of them, directly or not."""
    names = {service.name for service in wanted}
    given = set(names)
    changed = True
    while changed:
        more = {s.name for s in services if s.name not in names and names & set(s.needs)}
        names |= more
        changed = bool(more)
    return tuple(service for service in services if service.name in names - given)


def stop_order(services: Sequence[Service]) -> list[tuple[Service, ...]]:
    """Groups to stop one after the other: nobody is stopped before those who need it."""
    left = list(services)
    groups: list[tuple[Service, ...]] = []
    while left:
        needed = {name for service in left for name in service.needs}
        group = tuple(service for service in left if service.name not in needed)
        groups.append(group)
        left = [service for service in left if service not in group]
    return groups
