"""Tells how the set-up of `.venv` goes: a line on stderr while it works, the likely cause when it fails."""

import contextlib
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

NEEDED_DISK_MB = 400
#: What the output of a failed set-up holds, what that means, and what to do; the first that fits is told.
CAUSES = (
    (
        r"no space left|os error 28|errno 28|disk quota",
        "the disk is full",
        f"free {NEEDED_DISK_MB} MB, then ./task again",
    ),
    (
        r"do not match the hashes|hash mismatch",
        "a package differs from what the lock pins",
        "empty the cache (pip cache purge), then ./task again; if it stays, the index serves another file",
    ),
    (
        r"certificate|SSLError|invalid peer",
        "the package index's certificate is not trusted here",
        "point PIP_CERT to your organisation's certificate file, then ./task again",
    ),
    (
        r"permission denied|errno 13|os error 13|read-only file system",
        "a file or directory cannot be written",
        "make this checkout and your cache directory writable for you, then ./task again",
    ),
    (
        r"connection|timed? ?out|name resolution|name or service|dns|network|proxy|error sending request"
        r"|failed to fetch|no matching distribution",
        "the package index cannot be reached",
        "check the network and the proxy; behind a mirror: pip config set global.index-url ADDRESS",
    ),
)


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Tell on stderr that `what` is under way, each second on a terminal, and how long it took."""
    begun = time.monotonic()
    done = threading.Event()
    live = sys.stderr.isatty()

    def tick() -> None:
        while not done.wait(1.0):
            print(f"\r{what} … {time.monotonic() - begun:.0f} s", end="", file=sys.stderr, flush=True)

    print(f"{what} …", end="", file=sys.stderr, flush=True)
    ticker = threading.Thread(target=tick, daemon=True)
    if live:
        ticker.start()
    result = "failed after"
    try:
        yield
        result = "done in"
    finally:
        done.set()
        start = f"\r{what} …" if live else ""
        print(f"{start} {result} {time.monotonic() - begun:.1f} s", file=sys.stderr)


def read_end(log: Path, size: int = 20_000) -> str:
    """The last `size` characters of the log, or nothing where there is none."""
    try:
        return log.read_text(errors="replace")[-size:]
    except OSError:
        return ""


def explain(output: str, log: Path) -> str:
    """What a person should know about a failed set-up: the likely cause, what to do, where the log is."""
    unknown = (output.strip().splitlines()[0], "read the log, then ./task again")
    likely = ((cause, remedy) for pattern, cause, remedy in CAUSES if re.search(pattern, output, re.I))
    cause, remedy = next(likely, unknown)
    return f"error: .venv could not be set up: {cause}\n  try: {remedy}\n  full log: {log}"
