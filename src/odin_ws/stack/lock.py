"""One change at a time: a file lock in the home, held while a command starts, stops or deletes services.

The kernel releases it when its holder ends in any way, so a stale lock cannot exist. The file names its
holder for the one who waits. Reading commands (health, status, logs) take no lock.
"""

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator

from odin_ws.errors import ExitCode, OdinError
from odin_ws.home import Home


@contextlib.contextmanager
def hold_lock(home: Home, timeout_seconds: float, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the home's lock; waits for another holder and says who it is.

    Raises OdinError with exit code TIMEOUT when the other does not finish in `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    told = False
    while (handle := _try_lock(home)) is None:
        holder = _holder(home)
        if time.monotonic() > deadline:
            raise OdinError(
                f"{holder} has been changing this stack for {timeout_seconds:g} s",
                remedy="let it finish, or end it; then try again",
                exit_code=ExitCode.TIMEOUT,
            )
        if not told:
            tell(f"waiting for {holder} to finish")
            told = True
        time.sleep(0.1)
    try:
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def hold_lock_if_free(home: Home) -> Iterator[bool]:
    """Hold the lock if nobody has it; yields whether it is held."""
    handle = _try_lock(home)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            os.close(handle)


def _try_lock(home: Home) -> int | None:
    """The locked file's descriptor, or None when another process holds it.

    A holder may remove the whole home (delete all): a lock on a file that is no longer there protects
    nothing, so it is taken again on the new one.
    """
    while True:
        home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = home.run / "lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(handle).st_ino:
                _sign(handle)
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        os.close(handle)


def _sign(handle: int) -> None:
    command = " ".join(["odin", *sys.argv[1:]])
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "command": command}).encode(), 0)


def _holder(home: Home) -> str:
    try:
        who = json.loads((home.run / "lock").read_text())
        return f"`{who['command']}` (pid {who['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another command"
