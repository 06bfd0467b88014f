"""`odin local …`: the services of this machine. Parsing and printing; what is done stands in stack/.

Here are start, stop, restart, rebuild, delete and down; the further groups are in local_deploy.py,
local_show.py (health, status, urls, logs) and local_stats.py.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from odin_ws.cli import local_deploy, local_show, local_stats
from odin_ws.cli.options import Output, ServiceName, Timeout, Yes, confirm
from odin_ws.cli.session import open_current, seconds_or_default

if TYPE_CHECKING:
    from odin_ws.cli.progress import Progress
    from odin_ws.stack.services import Service
    from odin_ws.stack.stack import Stack

app = typer.Typer(no_args_is_help=True, help="The services of this machine: run, probe, show, remove them.")
local_deploy.register(app)
local_show.register(app)
local_stats.register(app)


@app.command()
def start(service: ServiceName, output: Output = "table", timeout: Timeout = "") -> None:
    """Start a service with what it needs, and wait until it is healthy. Started twice is fine."""
    from odin_ws.stack import verbs

    def act(stack: "Stack", chosen: Sequence["Service"], seconds: float, progress: "Progress") -> None:
        verbs.start(stack, chosen, seconds, progress.tell, progress.change)

    _bring(service, output, timeout, act)


@app.command()
def restart(service: ServiceName, output: Output = "table", timeout: Timeout = "", yes: Yes = False) -> None:
    """Restart a service with the settings in force now. `redpanda` is deleted with its data: asks first."""
    from odin_ws.stack import verbs

    def act(stack: "Stack", chosen: Sequence["Service"], seconds: float, progress: "Progress") -> None:
        verbs.restart(stack, chosen, seconds, progress.tell, progress.change)

    def recreate(stack: "Stack", chosen: Sequence["Service"], seconds: float, progress: "Progress") -> None:
        for removed in verbs.recreate(stack, chosen, seconds, progress.tell, progress.change):
            progress.tell(f"removed {removed}")

    if service == "redpanda":
        confirm("Restarting redpanda (embedded log) removes all its records. Go on?", yes)
    _bring(service, output, timeout, recreate if service == "redpanda" else act)


@app.command()
def rebuild(service: ServiceName, output: Output = "table", timeout: Timeout = "") -> None:
    """Take changed code into a service: reinstall what changed, restart, wait until healthy."""
    from odin_ws.stack import verbs

    def act(stack: "Stack", chosen: Sequence["Service"], seconds: float, progress: "Progress") -> None:
        verbs.rebuild(stack, chosen, seconds, progress.tell, progress.change)

    _bring(service, output, timeout, act)


@app.command()
def stop(service: ServiceName, output: Output = "table", timeout: Timeout = "") -> None:
    """Stop a service; its data stays. Stopped twice is fine."""
    from odin_ws.cli.printing import print_json, say
    from odin_ws.stack import verbs
    from odin_ws.stack.services import select

    stack = open_current()
    chosen = select(stack.services, service)
    stopped = verbs.stop(stack, chosen, seconds_or_default(timeout, stack), say)
    if output == "json":
        print_json({"stopped": stopped})
        return
    for row in chosen:
        say(f"{row.title}: {'stopped' if row.name in stopped else 'was not running'}")


@app.command()
def delete(service: ServiceName, output: Output = "table", timeout: Timeout = "", yes: Yes = False) -> None:
    """Stop a service and remove its logs, state and data; `all` leaves nothing behind. Asks first."""
    from odin_ws.cli.printing import print_json, say
    from odin_ws.stack import verbs
    from odin_ws.stack.services import select

    stack = open_current()
    chosen = select(stack.services, service)
    if stack.home.base.is_dir():
        confirm(f"This removes {_what(chosen)} in {stack.home.base}. Go on?", yes)
    removed = verbs.delete(stack, chosen, seconds_or_default(timeout, stack), say)
    if output == "json":
        print_json({"removed": removed})
        return
    for words in removed or ["nothing: there was nothing"]:
        say(f"removed {words}")


@app.command()
def down(output: Output = "table", timeout: Timeout = "") -> None:
    """Stop everything, supervisord included; data stays."""
    from odin_ws.cli.printing import print_json, say
    from odin_ws.stack import verbs

    stack = open_current()
    stopped = verbs.down(stack, seconds_or_default(timeout, stack), say)
    if output == "json":
        print_json({"stopped": stopped})
        return
    say(f"stopped: {', '.join(stopped)}; data stays" if stopped else "nothing was running")


def _bring(
    name: str,
    output: str,
    timeout: str,
    act: Callable[["Stack", Sequence["Service"], float, "Progress"], None],
) -> None:
    """Run a verb that ends with healthy services, and show them as they are then."""
    from odin_ws.cli.progress import Progress
    from odin_ws.cli.rows import print_rows
    from odin_ws.stack.health import examine
    from odin_ws.stack.services import select, with_needs

    stack = open_current()
    chosen = select(stack.services, name)
    with Progress() as progress:
        act(stack, chosen, seconds_or_default(timeout, stack), progress)
    print_rows(examine(stack, with_needs(stack.services, chosen)), output)


def _what(services: Sequence["Service"]) -> str:
    names = ", ".join(service.title for service in services)
    with_data = any(service.keeps_data for service in services)
    return f"{names} with logs{' and all records' if with_data else ''}"
