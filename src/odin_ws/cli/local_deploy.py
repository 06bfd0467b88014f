"""`odin local deploy …`, `up` and `topics create`: from nothing to addresses, and back to the start."""

from typing import TYPE_CHECKING

import typer

from odin_ws.cli.options import Output, Timeout, Yes, confirm
from odin_ws.cli.session import open_current, open_despite_problems, seconds_or_default

if TYPE_CHECKING:
    from odin_ws.stack.deploy import SetUp

deploy = typer.Typer(no_args_is_help=True, help="Set up from nothing, reset, take changed code in.")
topics = typer.Typer(no_args_is_help=True, help="The topics of the event log.")


def register(app: typer.Typer) -> None:
    """Add this file's commands to `odin local`."""
    app.add_typer(deploy, name="deploy")
    app.add_typer(topics, name="topics")
    app.command()(up)


@deploy.command()
def setup(output: Output = "table", timeout: Timeout = "") -> None:
    """Preflight, start, topics, health, then the addresses with their reachability and what to try next."""
    from odin_ws.cli.progress import Progress
    from odin_ws.stack.deploy import set_up

    stack, problems = open_despite_problems()
    with Progress() as progress:
        done = set_up(stack, seconds_or_default(timeout, stack), progress.tell, progress.change, problems)
    _print_set_up(done, output)


def up(output: Output = "table", timeout: Timeout = "") -> None:
    """The same as `deploy setup`. What runs already stays as it is."""
    setup(output, timeout)


@deploy.command()
def reset(output: Output = "table", timeout: Timeout = "", yes: Yes = False) -> None:
    """Delete everything with all data, and set up again. Asks first."""
    from odin_ws.cli.printing import say
    from odin_ws.stack import verbs

    stack = open_current()
    if stack.home.base.is_dir():
        confirm(f"This removes all services with all data in {stack.home.base}. Go on?", yes)
    for removed in verbs.delete(stack, stack.services, seconds_or_default(timeout, stack), say):
        say(f"removed {removed}")
    setup(output, timeout)


@deploy.command("rebuild-code")
def rebuild_code(output: Output = "table", timeout: Timeout = "") -> None:
    """Reinstall what changed, restart publisher and gateway, probe everything. Data stays."""
    from odin_ws.cli.progress import Progress
    from odin_ws.cli.rows import print_rows
    from odin_ws.stack import verbs
    from odin_ws.stack.health import examine

    stack = open_current()
    with Progress() as progress:
        verbs.rebuild(
            stack, stack.services, seconds_or_default(timeout, stack), progress.tell, progress.change
        )
    print_rows(examine(stack, stack.services), output)


@topics.command("create")
def create(output: Output = "table") -> None:
    """Create the topics of the catalogue and of odin.toml that are not there yet."""
    from odin_ws.cli.printing import print_json, print_table
    from odin_ws.stack.deploy import create_topics

    stack = open_current()
    created = create_topics(stack)
    all_topics = stack.settings.all_topics()
    if output == "json":
        print_json({"created": created, "topics": [topic.name for topic in all_topics]})
        return
    rows = [
        [
            t.name,
            "created" if t.name in created else "was there",
            str(t.partitions),
            f"{t.retention_seconds:g} s",
        ]
        for t in all_topics
    ]
    print_table(["topic", "", "partitions", "retention"], rows)


def _print_set_up(done: "SetUp", output: str) -> None:
    from odin_ws.cli.addresses import as_documents, print_addresses
    from odin_ws.cli.printing import print_json
    from odin_ws.cli.rows import document, print_rows
    from odin_ws.stack.deploy import NEXT_COMMANDS
    from odin_ws.stack.health import worst_exit_code

    code = worst_exit_code(done.rows)
    if output == "json":
        extra = {"topics_created": done.topics_created, "urls": as_documents(done.addresses)}
        print_json({**document(done.rows), **extra, "next": [command for command, _ in NEXT_COMMANDS]})
    else:
        print_rows(done.rows, output)
        print()
        print_addresses(done.addresses, output)
        print("\nnext:")
        width = max(len(command) for command, _ in NEXT_COMMANDS)
        for command, shows in NEXT_COMMANDS:
            print(f"  {command.ljust(width)}  {shows}")
    if code:
        raise typer.Exit(int(code))
