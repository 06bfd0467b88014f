"""What must hold before anything starts, checked all at once: one list, nothing half-done.

A problem prevents the start, a warning does not; each says what to do. Needs no root. A port that one of
our own running services holds is fine.
"""

import contextlib
import errno
import os
import platform
import resource
import shutil
import socket
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home
from odin_ws.settings import Settings
from odin_ws.stack.services import Endpoint, Service

MIN_PYTHON = (3, 11)
FILES_REQUIRED = 256
FILES_RECOMMENDED = 4096
MEMORY_RECOMMENDED_MB = 512
#: Packages whose versions are worth knowing when something is odd.
PACKAGES = ("odin-ws", "supervisor", "picows", "uvloop", "fastapi", "pydantic", "typer", "go-task-bin")


@dataclass(frozen=True)
class Finding:
    """One thing checked: `ok`, `warning` or `problem`, in words, with the remedy where there is one."""

    check: str
    status: Literal["ok", "warning", "problem"]
    text: str
    remedy: str = ""


def check_all(
    settings: Settings,
    home: Home,
    services: Sequence[Service],
    running: Collection[str] = (),
    config_problems: Iterable[str] = (),
) -> list[Finding]:
    """Every finding for starting `services`, of which those named in `running` run already."""
    to_start = [service for service in services if service.name not in running]
    return [
        check_python(),
        *(Finding("configuration", "problem", text, "./odin config check") for text in config_problems),
        *(check_port(s, e) for s in to_start for e in s.endpoints(settings)),
        check_files(*resource.getrlimit(resource.RLIMIT_NOFILE)),
        check_home(home),
        check_disk(home, settings.stack.min_free_disk_mb),
        check_memory(),
    ]


def require(findings: Sequence[Finding]) -> None:
    """Raise one OdinError (PREFLIGHT) that lists all problems; nothing when there is none."""
    problems = [finding for finding in findings if finding.status == "problem"]
    if not problems:
        return
    lines = [f"\n  {p.check}: {p.text}" + (f"\n    try: {p.remedy}" if p.remedy else "") for p in problems]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise OdinError(
        f"nothing was started, preflight found {count}:" + "".join(lines),
        remedy="./odin doctor shows all checks",
        exit_code=ExitCode.PREFLIGHT,
    )


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Python is new enough."""
    text = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version[:2] < MIN_PYTHON:
        needed = ".".join(map(str, MIN_PYTHON))
        return Finding("python", "problem", f"{text} is older than {needed}", f"install Python {needed}")
    return Finding("python", "ok", text)


def check_port(service: Service, endpoint: Endpoint) -> Finding:
    """The port can be bound; if not, who has it."""
    check = f"port {endpoint.port}"
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    variable = f"ODIN_{'GATEWAY' if service.name == 'ws' else service.name.upper()}_PORT"
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
        except OSError as error:
            return _unusable(check, service, endpoint, error, variable)
    return Finding(check, "ok", f"free for {service.name} ({endpoint.host})")


def check_files(soft: int, hard: int) -> Finding:
    """Enough file descriptors; services get the hard limit, so that is what counts."""
    unlimited = hard == resource.RLIM_INFINITY
    text = f"{'unlimited' if unlimited else hard} (soft limit {soft}, raised for services)"
    remedy = "raise the hard limit: ulimit -Hn 65536, or nofile in /etc/security/limits.conf"
    if not unlimited and hard < FILES_REQUIRED:
        return Finding("file descriptors", "problem", f"{text}; at least {FILES_REQUIRED} are needed", remedy)
    if not unlimited and hard < FILES_RECOMMENDED:
        few = f"{text}; enough for about {max(0, hard - 64)} clients, {FILES_RECOMMENDED} are recommended"
        return Finding("file descriptors", "warning", few, remedy)
    return Finding("file descriptors", "ok", text)


def check_home(home: Home) -> Finding:
    """The state directory can be made and written; makes nothing itself."""
    place = _existing(home.base)
    if not place.is_dir():
        return Finding("state directory", "problem", f"{place} is no directory", "set ODIN_HOME elsewhere")
    if not os.access(place, os.W_OK | os.X_OK):
        remedy = f"make {place} writable, or set ODIN_HOME elsewhere"
        return Finding("state directory", "problem", f"{home.base} cannot be written", remedy)
    return Finding("state directory", "ok", str(home.base))


def check_disk(home: Home, min_free_mb: float) -> Finding:
    """Enough room for the log and the services' own logs."""
    try:
        free_mb = shutil.disk_usage(_existing(home.base)).free / 1e6
    except OSError as error:
        return Finding("disk", "warning", f"free space is not known: {error.strerror}")
    text = f"{free_mb:,.0f} MB free"
    if min_free_mb and free_mb < min_free_mb:
        remedy = "free some space, set ODIN_HOME elsewhere, or lower ODIN_STACK_MIN_FREE_DISK_MB"
        return Finding("disk", "problem", f"{text}, {min_free_mb:g} MB are needed", remedy)
    return Finding("disk", "ok", text)


def check_memory() -> Finding:
    """Memory left; a warning at most, the services need about 200 MB."""
    import psutil

    free_mb = psutil.virtual_memory().available / 1e6
    if free_mb < MEMORY_RECOMMENDED_MB:
        text = f"{free_mb:,.0f} MB available, {MEMORY_RECOMMENDED_MB} MB are recommended"
        return Finding("memory", "warning", text, "close something large")
    return Finding("memory", "ok", f"{free_mb:,.0f} MB available")


def _unusable(check: str, service: Service, endpoint: Endpoint, error: OSError, variable: str) -> Finding:
    if error.errno == errno.EADDRINUSE:
        text = f"in use by {owner_of_port(endpoint.port)}; {service.title} needs it"
        return Finding(check, "problem", text, f"end it, or choose another port: {variable}={_free_port()}")
    if error.errno == errno.EACCES:
        text = f"not allowed for this user; {service.title} needs it"
        return Finding(check, "problem", text, f"choose a port above 1023: {variable}=")
    text = f"{endpoint.host} cannot be listened on: {error.strerror or error}"
    return Finding(check, "problem", text, f"give {service.title} an address of this machine")


def owner_of_port(port: int) -> str:
    """Who listens on a port, for people: pid and command, or that it cannot be seen."""
    import psutil

    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS shows all connections to root only
        connections = []
    for connection in connections:
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(connection.pid)
                command = " ".join(process.cmdline()) or process.name()
                return f"pid {process.pid} ({command[:100]})"
    return "another process, which this user may not see"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def versions() -> list[Finding]:
    """Versions of what this installation is made of; a missing one is a problem."""
    return [_version(name) for name in PACKAGES]


def _version(name: str) -> Finding:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        if name == "odin-ws":
            return Finding(name, "warning", "runs from source, not installed", "./task installs it")
        return Finding(name, "problem", "not installed", "rm -rf .venv && ./task")
