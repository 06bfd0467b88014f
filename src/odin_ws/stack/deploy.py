"""Workflows over the verbs: set up from nothing to addresses, reset, rebuild the code; topics and addresses.

`setup` is preflight → start → topics → health → addresses. Printing belongs to the command line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odin_ws.stack import probes, verbs
from odin_ws.stack.health import Row, examine, run_together
from odin_ws.stack.services import Service, Url
from odin_ws.stack.stack import Stack, Tell
from odin_ws.stack.waiting import OnChange

#: What to try after a setup, each with what it shows.
NEXT_COMMANDS = (
    ("./task local:health:all", "the state of every service"),
    ("./task local:stats:consume TOPIC=odin.trades NUM=10", "the last records of a topic"),
    ("./task local:logs:all FOLLOW=1", "what the services say, as it happens"),
)


@dataclass(frozen=True)
class Reach:
    """An address and whether it answers: HTTP status, or the reason why not."""

    url: Url
    reachable: bool
    answer: str
    latency_ms: float


@dataclass(frozen=True)
class SetUp:
    """What a setup ended with."""

    topics_created: list[str]
    rows: list[Row]
    addresses: list[Reach]


def set_up(
    stack: Stack,
    timeout_seconds: float,
    tell: Tell,
    on_change: OnChange,
    config_problems: Sequence[str] = (),
) -> SetUp:
    """Bring everything up; raises OdinError for preflight, a failed start or a timeout."""
    verbs.start(stack, stack.services, timeout_seconds, tell, on_change, config_problems)
    created = create_topics(stack)
    return SetUp(created, examine(stack, stack.services), reach_all(stack, stack.services))


def create_topics(stack: Stack) -> list[str]:
    """Create the topics of catalogue and configuration that are not there yet; returns their names."""
    from odin_ws.eventlog import open_log

    log = open_log(stack.settings, stack.home.create())
    try:
        return log.create_topics(stack.settings.all_topics())
    finally:
        log.close()


def reach_all(stack: Stack, services: Sequence[Service]) -> list[Reach]:
    """Every address of these services, asked side by side whether it answers."""
    observed = stack.driver.observe()
    urls = [url for s in services for url in s.urls(stack.settings_of(observed[s.name]))]
    timeout = stack.settings.stack.probe_timeout_seconds

    def task(url: Url) -> Callable[[], Reach | None]:
        return lambda: reach(url, timeout)

    answers = run_together([task(url) for url in urls], timeout + 0.2, lambda _: None)
    late = "no answer in time"
    return [found or Reach(url, False, late, 0.0) for url, found in zip(urls, answers, strict=True)]


def reach(url: Url, timeout_seconds: float) -> Reach:
    """Ask one address; every answer below 500 counts, /ws says 426 to a plain request."""
    from urllib.parse import urlsplit

    parts = urlsplit(url.check)
    answer = probes.get(parts.hostname or "", parts.port or 80, parts.path or "/", timeout_seconds)
    if answer.status == 0:
        return Reach(url, False, answer.body, 0.0)
    return Reach(url, answer.status < 500, f"HTTP {answer.status}", round(answer.latency_ms, 1))
