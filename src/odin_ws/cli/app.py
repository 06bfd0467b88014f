"""`odin`: puts the nouns together, and turns failures into a message, a remedy and an exit code."""

import sys
from typing import NoReturn

import typer

from odin_ws import __version__
from odin_ws.cli import config, publish, repo, serve
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
app.add_typer(serve.app, name="serve")
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
) -> None:
    pass


def main() -> NoReturn:
    """Run the command line and exit with a code of `ExitCode`."""
    try:
        code = app(standalone_mode=False)
    except OdinError as error:
        tell(error)
        code = error.exit_code
    except typer.TyperException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)
        code = ExitCode.INTERRUPTED
    sys.exit(int(code or 0))


def tell(error: OdinError) -> None:
    """Print a failure to stderr: what failed and why, then what to do."""
    print(f"error: {error.message}", file=sys.stderr)
    if error.remedy:
        print(f"  try: {error.remedy}", file=sys.stderr)
