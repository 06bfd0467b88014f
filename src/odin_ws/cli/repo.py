"""`odin archive`, `odin build …`, `odin check`, `odin tasks`: care of this checkout."""

from datetime import date
from pathlib import Path

import typer

from odin_ws.checkout.tasklist import Group
from odin_ws.errors import ExitCode, OdinError

app = typer.Typer(no_args_is_help=True, help="Build the wheel, pin the packages.")


def register(root: typer.Typer) -> None:
    """Add this file's commands to the root command."""
    root.add_typer(app, name="build")
    root.command()(archive)
    root.command(context_settings={"ignore_unknown_options": True})(check)
    root.command()(tasks)


def archive(file: Path = typer.Argument(help="The retired file.")) -> None:
    """Move a retired file to the old/ directory of its tree, by git mv; nothing is deleted."""
    from odin_ws.checkout.archive import archive as move
    from odin_ws.checkout.place import find_checkout

    checkout = find_checkout()
    target = move(file, checkout, date.today())
    typer.echo(f"moved to {target.relative_to(checkout)}; commit it with: git commit -m 'Retire {file.name}'")


@app.command()
def wheel() -> None:
    """Build the wheel into dist/ and print its path."""
    from odin_ws.checkout.place import find_checkout
    from odin_ws.checkout.wheel import build_wheel

    typer.echo(build_wheel(find_checkout()))


@app.command()
def lock(upgrade: bool = typer.Option(False, "--upgrade", help="Take the newest versions that fit.")) -> None:
    """Pin the packages again in requirements.lock and requirements-dev.lock."""
    from odin_ws.checkout.locks import write_locks
    from odin_ws.checkout.place import find_checkout, find_program

    for path in write_locks(find_checkout(), find_program("uv"), upgrade=upgrade):
        typer.echo(path.name)


def check(pytest_arguments: list[str] = typer.Argument(None, help="Go to pytest.")) -> None:
    """Lint, format, types and all tests; exit 1 when one of them fails."""
    from odin_ws.checkout.place import find_checkout, find_program
    from odin_ws.checkout.quality import describe, run_steps, steps

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    outcomes = run_steps(steps(find_program, pytest_arguments or []), find_checkout(), tell)
    if any(outcome.exit_code for outcome in outcomes):
        tell(describe(outcomes))
        raise typer.Exit(ExitCode.INTERNAL)


def tasks(
    unknown: str = typer.Option("", help="Tell that this task does not exist, with the nearest."),
) -> None:
    """List the tasks by group."""
    from odin_ws.checkout.place import find_checkout, find_program
    from odin_ws.checkout.tasklist import grouped, nearest, read_tasks

    lines = read_tasks(find_program("task"), find_checkout())
    if unknown:
        near = nearest(unknown, [line.name for line in lines])
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise OdinError(
            f"there is no task {unknown!r}{hint}",
            remedy=f"./task {near[0]}" if near else "./task   (lists them all)",
            exit_code=ExitCode.USAGE,
        )
    _print_groups(grouped(lines))


def _print_groups(groups: list[Group]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    width = max(len(task.name) for group in groups for task in group.tasks)
    console.print("[bold]./task NAME [VAR=value …][/bold]   and ./task --summary NAME explains one")
    for group in groups:
        console.print(f"\n[bold cyan]{group.title}[/bold cyan]")
        for task in group.tasks:
            console.print(Text.assemble("  ", (f"{task.name:<{width}}", "green"), "  ", task.description))
