"""`odin local health|status|urls|logs`: what is going on, for people and programs. All of it only reads."""

from typing import Annotated

import typer

from odin_ws.cli.options import Output, ServiceName
from odin_ws.cli.session import open_current

Target = Annotated[str, typer.Argument(metavar="WHAT", help="redpanda, publisher, ws, all or detailed.")]
Since = Annotated[str, typer.Option("--since", envvar="SINCE", help="30s, 5m, 2h, 14:05 or an ISO time.")]
Tail = Annotated[int, typer.Option("--tail", envvar="TAIL", help="Last lines at most.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", envvar="FOLLOW", help="Go on as lines are written.")]
Grep = Annotated[str, typer.Option("--grep", envvar="GREP", help="Lines in which this expression is found.")]
Level = Annotated[str, typer.Option("--level", envvar="LEVEL", help="This level and more severe ones.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands to `odin local`."""
    app.command()(health)
    app.command()(status)
    app.command()(urls)
    app.command()(logs)


def health(what: Target = "all", output: Output = "table") -> None:
    """Probe services through their ports; exit 0 healthy, 6 unhealthy, 7 not running (the worst row's)."""
    detailed = what == "detailed"
    _show("all" if detailed else what, "json" if detailed else output, detailed=detailed)


def status(output: Output = "table") -> None:
    """The table of all services; the same exit codes as health."""
    _show("all", output)


def urls(output: Output = "table") -> None:
    """Every address, and whether it answers."""
    from odin_ws.cli.addresses import print_addresses
    from odin_ws.stack.deploy import reach_all

    stack = open_current()
    print_addresses(reach_all(stack, stack.services), output)


def logs(
    service: ServiceName,
    since: Since = "",
    tail: Tail = 100,
    follow: Follow = False,
    grep: Grep = "",
    level: Level = "",
    output: Output = "table",
) -> None:
    """Show a service's log, or all of them merged by time: `HH:MM:SS service | …`."""
    import time

    from odin_ws.cli.log_lines import print_lines, print_stream, reader_is_gone
    from odin_ws.stack.logs import follow_lines, make_filter, read_lines
    from odin_ws.stack.services import select

    stack = open_current()
    chosen = select(stack.services, service)
    wanted = make_filter(since, level, grep, tail, time.time())
    files = {s.name: stack.driver.log_files(s) for s in chosen}
    newest = {s.name: stack.home.logs / f"{s.name}.log" for s in chosen}
    stream = follow_lines(newest, wanted, reader_is_gone) if follow else None
    lines = read_lines(files, wanted)
    if stream is None:
        print_lines(lines, chosen, output)
        return
    print_stream(lines, stream, chosen, output)


def _show(name: str, output: str, *, detailed: bool = False) -> None:
    from odin_ws.cli.printing import say
    from odin_ws.cli.rows import print_rows
    from odin_ws.stack.health import examine, worst_exit_code
    from odin_ws.stack.services import select
    from odin_ws.stack.verbs import sweep_orphans

    stack = open_current()
    chosen = select(stack.services, name)
    sweep_orphans(stack, say)
    rows = examine(stack, chosen)
    print_rows(rows, output, detailed=detailed)
    if code := worst_exit_code(rows):
        raise typer.Exit(int(code))
