"""`odin serve …`: run one service in the foreground, as the driver does. Ends on SIGTERM or SIGINT."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from odin_ws.cli.context import Context

app = typer.Typer(no_args_is_help=True, help="Run one service in the foreground (what the driver starts).")


@app.command("log")
def serve_log() -> None:
    """Keep the embedded event log: create topics, enforce retention, report sizes."""
    from odin_ws.eventlog import keeper

    context = _recorded("redpanda")
    keeper.run(context.settings, context.home)


@app.command("publisher")
def serve_publisher() -> None:
    """Run the publisher: simulator, pacer and control API."""
    from odin_ws.publisher import server

    context = _recorded("publisher")
    server.run(context.settings, context.home)


@app.command("gateway")
def serve_gateway() -> None:
    """Run the WebSocket gateway."""
    from odin_ws.gateway import server

    context = _recorded("ws")
    server.run(context.settings, context.home)


def _recorded(name: str) -> "Context":
    """Configuration and home, after leaving this process's record for those who look for the service."""
    from odin_ws.cli.context import current
    from odin_ws.stack.records import record_this_process

    context = current()
    record_this_process(context.home, name, context.settings.model_dump(mode="json"))
    return context
