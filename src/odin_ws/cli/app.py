"""`odin`: puts the nouns together, and turns failures into a message, a remedy and an exit code."""

import os
import sys
from typing import NoReturn

import typer

from odin_ws import __version__
from odin_ws.cli import config, local, machine, options, printing, publish, repo, serve
from odin_ws.errors import ExitCode, OdinError

app = typer.Typer(
    name="odin",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Kafka topics to WebSocket clients, with the whole operations kit.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(config.app, name="config")
app.add_typer(local.app, name="local")
app.add_typer(serve.app, name="serve")
machine.register(app)
app.command("publish")(publish.publish)
repo.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"odin-ws {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
    assignments: list[str] = typer.Option(
        [], "--set", metavar="KEY=VALUE", help="Override a setting, such as gateway.port=4005; repeatable."
    ),
) -> None:
    if assignments:
        from odin_ws.cli.context import override

        override(assignments)


def main() -> NoReturn:
    """Run the command line and exit with a code of `ExitCode`."""
    try:
        code = app(prog_name="odin", standalone_mode=False)
        sys.stdout.flush()
        if code == ExitCode.INTERRUPTED:  # how typer hands on a Ctrl-C
            raise KeyboardInterrupt
    except OdinError as error:
        code = tell(error)
    except typer.TyperException as error:
        code = _tell_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        code = tell(OdinError("interrupted", exit_code=ExitCode.INTERRUPTED))
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe has seen enough (`| head`): no failure. typer turns it into SystemExit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.OK
    sys.exit(int(code or 0))


def tell(error: OdinError) -> ExitCode:
    """Print a failure: what failed and why, then what to do, to stderr; as JSON to stdout where asked for."""
    print(f"error: {error.message}", file=sys.stderr)
    if error.remedy:
        print(f"  try: {error.remedy}", file=sys.stderr)
    if options.json_wanted():
        told = {"message": error.message, "remedy": error.remedy, "exit_code": int(error.exit_code)}
        printing.print_json({"error": told})
    return error.exit_code


def _tell_usage(error: typer.TyperException) -> ExitCode:
    """What the parser says, in the shape of every other failure; a bare noun has shown its help already."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "odin"
    message = error.format_message()
    if not message:
        return ExitCode.USAGE
    told = message[0].lower() + message[1:]
    return tell(OdinError(told, remedy=f"{command} --help", exit_code=ExitCode.USAGE))
