"""`odin publish FILE.ndjson|-`: send your own records to the event log, one JSON object a line."""

import contextlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import cast

import typer

from odin_ws.errors import ExitCode, OdinError
from odin_ws.publisher.sending import LineSender, SendTally

_CHUNK_BYTES = 262_144

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Plan:
    """What the command line asked for."""

    rate: float
    dry_run: bool


def publish(
    file: str = typer.Argument(metavar="FILE", help="NDJSON file, or - for standard input."),
    rate: float = typer.Option(0.0, min=0, help="Records per second at most; 0 = as fast as possible."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Check the lines, send nothing."),
    output: str = typer.Option("table", "--output", "-o", envvar="FORMAT", help="table or json."),
) -> None:
    """Send records: {"topic","key","value"[,"timestamp"]} a line.

    A bad line is reported with its number and the rest goes on; then the exit code is 2.
    """
    if not math.isfinite(rate):
        raise typer.BadParameter("must be a number of records per second", param_hint="--rate")
    with _opened(file) as stream, _progress(stream, file) as (say, advance):
        started = time.monotonic()
        with _sender(_Plan(rate, dry_run), say) as sender:
            try:
                while chunk := stream.read1(_CHUNK_BYTES):
                    sender.feed(chunk)
                    advance(len(chunk), sender.tally)
                sender.finish()
            finally:
                _summarise(sender.tally, time.monotonic() - started, dry_run, output, say)
    if sender.tally.bad:
        raise typer.Exit(ExitCode.USAGE)


@contextlib.contextmanager
def _sender(plan: _Plan, say: Say) -> Iterator[LineSender]:
    """A sender over the log in force; a dry run knows the topics of the configuration and has no log."""
    from odin_ws.cli.context import current
    from odin_ws.eventlog import open_log
    from odin_ws.publisher.ndjson import LineParser
    from odin_ws.publisher.sending import patient

    context = current()

    def bad(number: int, reason: str) -> None:
        say(f"line {number}: {reason}")

    if plan.dry_run:
        retention = {topic.name: topic.retention_seconds for topic in context.settings.all_topics()}
        yield LineSender(LineParser(retention), lambda drafts: None, bad, retention_seconds=retention)
        return
    log = open_log(context.settings, context.home.create())
    with contextlib.closing(log):
        retention = {topic.name: topic.retention_seconds for topic in log.describe().values()}
        if not retention:
            raise OdinError(
                "the event log has no topics yet", remedy="./task up", exit_code=ExitCode.NOT_RUNNING
            )
        append = patient(log.append, lambda reason: say(f"trying again: {reason}"))
        yield LineSender(
            LineParser(retention),
            append,
            bad,
            retention_seconds=retention,
            rate=plan.rate,
            max_batch=context.settings.publisher.max_batch,
        )


@contextlib.contextmanager
def _opened(file: str) -> Iterator[BufferedReader]:
    if file == "-":
        yield cast(BufferedReader, sys.stdin.buffer)
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; only opening is guarded
    except OSError as error:
        raise OdinError(
            f"cannot read {file}: {error.strerror}",
            remedy="name an NDJSON file, or - for standard input",
            exit_code=ExitCode.USAGE,
        ) from None
    with stream:
        yield stream


@contextlib.contextmanager
def _progress(stream: BufferedReader, file: str) -> Iterator[tuple[Say, Callable[[int, SendTally], None]]]:
    """How to say a line on stderr, and how to tell what was read; a live display on a terminal only."""
    if not sys.stderr.isatty() or stream.isatty():
        yield lambda line: print(line, file=sys.stderr), lambda size, tally: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    counts = TextColumn("{task.fields[sent]} sent, {task.fields[bad]} bad")
    columns = (BarColumn(), counts, TimeElapsedColumn())
    size = None if file == "-" else Path(file).stat().st_size or None
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=size, sent=0, bad=0)
        talk = _Talk(lambda text: progress.console.out(text, highlight=False))

        def advance(read_bytes: int, tally: SendTally) -> None:
            progress.update(task, advance=read_bytes, sent=tally.sent.total(), bad=tally.bad)
            talk.flush()

        try:
            yield talk.say, advance
        finally:
            talk.flush()


class _Talk:
    """Lines above a live display, several at once when they come fast: each print draws it anew."""

    PAUSE_SECONDS = 0.1

    def __init__(self, out: Say) -> None:
        self._out = out
        self._lines: list[str] = []
        self._said = 0.0

    def say(self, line: str) -> None:
        self._lines.append(line)
        if time.monotonic() - self._said >= self.PAUSE_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            self._out("\n".join(self._lines))
            self._lines.clear()
        self._said = time.monotonic()


def _summarise(tally: SendTally, seconds: float, dry_run: bool, output: str, say: Say) -> None:
    sent, per_second = tally.sent.total(), tally.sent.total() / max(seconds, 1e-9)
    done = "checked" if dry_run else "sent"
    say(
        f"{done} {_count(sent, 'record')}, {_count(tally.bad, 'bad line')}, up to line {tally.last_line}, "
        f"in {seconds:.1f} s ({per_second:,.0f} records/s)"
    )
    if tally.expired:
        say(f"older than the retention of their topic, so removed at once: {_count(tally.expired, 'record')}")
    if output == "json":
        document = {
            done: sent,
            "bad": tally.bad,
            "expired": tally.expired,
            "by_topic": dict(sorted(tally.sent.items())),
            "last_line": tally.last_line,
            "seconds": round(seconds, 3),
            "per_second": round(per_second, 1),
            "dry_run": dry_run,
        }
        typer.echo(json.dumps(document, indent=2))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
