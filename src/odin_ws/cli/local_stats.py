"""`odin local stats …`: what the publisher and the gateway count, addresses, topics, records of a topic."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from odin_ws.cli.options import Output, Timeout
from odin_ws.cli.session import open_current

if TYPE_CHECKING:
    from odin_ws.eventlog.base import Record
    from odin_ws.stack.services import Service
    from odin_ws.stack.stack import Stack

app = typer.Typer(no_args_is_help=True, help="Figures: publisher, gateway, addresses, topics, records.")

TopicName = Annotated[str, typer.Option("--topic", envvar="TOPIC", help="The topic.")]
Number = Annotated[int, typer.Option("--num", envvar="NUM", min=1, help="How many records.")]
From = Annotated[
    str, typer.Option("--from", envvar="FROM", help="latest: the newest; earliest: the oldest there are.")
]
Key = Annotated[str, typer.Option("--key", envvar="KEY", help="Only records with this key.")]
#: How long consume waits for records that are not there yet, when no timeout is given.
CONSUME_SECONDS = 10.0


def register(root: typer.Typer) -> None:
    """Add this file's commands to `odin local`."""
    root.add_typer(app, name="stats")


@app.command()
def publisher(output: Output = "table") -> None:
    """Counts by topic, achieved against planned rate, lateness: the publisher's GET /stats."""
    from odin_ws.stack.stats import ask

    stack = open_current()
    _print_figures(ask(stack, _service(stack, "publisher"), "/stats").json(), output)


@app.command()
def ws(output: Output = "table") -> None:
    """Connections, deliveries, lag and limits: the gateway's /health and /metrics."""
    from odin_ws.stack.stats import ask, metrics

    stack = open_current()
    service = _service(stack, "ws")
    health = ask(stack, service, "/health").json()
    counted = {
        name.removeprefix("odin_gateway_"): value
        for name, value in metrics(ask(stack, service, "/metrics").body).items()
        if name.startswith("odin_gateway_")
    }
    _print_figures({"health": health, "metrics": counted}, output)


@app.command()
def ips(output: Output = "table") -> None:
    """Address, port, container IP and pid of each service; "-" where there is no container."""
    from odin_ws.cli.printing import print_json, print_table
    from odin_ws.stack.stats import addresses

    found = addresses(open_current())
    if output == "json":
        print_json({"addresses": [asdict(address) for address in found]})
        return
    rows = [[a.title, a.role, a.address, _dash(a.port), a.container_ip, _dash(a.pid)] for a in found]
    print_table(["service", "for", "address", "port", "container IP", "pid"], rows)


@app.command()
def topics(output: Output = "table") -> None:
    """Partitions, offsets, rates and retention of each topic; measures for a second."""
    from odin_ws.cli.printing import print_json, print_table
    from odin_ws.stack.stats import open_existing_log, topic_figures

    log = open_existing_log(open_current())
    try:
        figures = topic_figures(log)
    finally:
        log.close()
    if output == "json":
        print_json({"topics": [asdict(topic) for topic in figures]})
        return
    rows = [
        [
            t.name,
            str(t.partitions),
            f"{t.end - t.earliest:,}",
            f"{t.end:,}",
            f"{t.records_per_second:,.1f}",
            f"{t.retention_seconds:g} s",
        ]
        for t in figures
    ]
    print_table(["topic", "partitions", "records kept", "end offset", "records/s", "retention"], rows)


@app.command()
def consume(
    topic: TopicName = "odin.trades",
    num: Number = 10,
    start: From = "latest",
    key: Key = "",
    output: Output = "table",
    timeout: Timeout = "",
) -> None:
    """Print records of a topic: those that are there, then, if they are too few, those that come."""
    from odin_ws.cli.options import parse_seconds
    from odin_ws.cli.printing import say
    from odin_ws.errors import ExitCode, OdinError
    from odin_ws.stack import stats

    if start not in ("latest", "earliest"):
        raise typer.BadParameter(f"FROM={start!r} is neither latest nor earliest")
    seconds = parse_seconds(timeout) if timeout else CONSUME_SECONDS
    wanted_key = key.encode() if key else None
    log = stats.open_existing_log(open_current())
    try:
        ends = stats.end_offsets(log, topic)
        read = stats.first_records if start == "earliest" else stats.last_records
        records = read(log, topic, num, wanted_key)
        if missing := max(0, num - len(records)):
            say(f"{len(records)} of {num} records are there; waiting up to {seconds:g} s for the rest")
            records += stats.next_records(log, ends, missing, wanted_key, records, seconds)
    finally:
        log.close()
    if not records:
        raise OdinError(
            f"no record of {topic}{f' with key {key}' if key else ''} within {seconds:g} s",
            remedy="./task local:stats:topics shows what flows",
            exit_code=ExitCode.TIMEOUT,
        )
    _print_records(records, output)


def _print_records(records: Iterable["Record"], output: str) -> None:
    from odin_ws.cli.printing import print_json

    if output == "json":
        print_json({"records": [_as_document(record) for record in records]})
        return
    for record in records:
        key = "-" if record.key is None else record.key.decode(errors="replace")
        value = record.value.decode(errors="replace")
        print(f"{_clock(record.timestamp_ms)}  {record.partition}:{record.offset}  {key}  {value}")


def _as_document(record: "Record") -> dict[str, Any]:
    import json

    text = record.value.decode(errors="replace")
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = text
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "value": value,
    }


def _clock(timestamp_ms: int) -> str:
    from datetime import datetime

    moment = datetime.fromtimestamp(timestamp_ms / 1000)
    return f"{moment:%H:%M:%S}.{timestamp_ms % 1000:03}"


def _print_figures(document: Mapping[str, Any], output: str) -> None:
    from odin_ws.cli.printing import print_json, print_table
    from odin_ws.stack.stats import flatten

    if output == "json":
        print_json(document)
        return
    print_table(["figure", "value"], [[name, _figure(value)] for name, value in flatten(document).items()])


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value in (None, "") else str(value)


def _dash(value: object) -> str:
    return "-" if value is None else str(value)


def _service(stack: "Stack", name: str) -> "Service":
    return next(service for service in stack.services if service.name == name)
