"""One connection to the embedded log's file: opening, waiting for its lock, and errors in plain words.

`LogFile` lends its SQLite connection for one transaction at a time. It waits for other writers up to the
busy timeout, notices when the file was deleted or replaced under it (and opens the new one at the next
use), and lets no SQLite error out that is not told in plain words. What the tables mean is not its business.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from odin_ws.eventlog.base import LogUnavailable
from odin_ws.eventlog.sqlite_errors import in_plain_words
from odin_ws.eventlog.sqlite_schema import State, is_laid_out, lay_out, read_state
from odin_ws.settings import LogSettings

#: Small pages halve what a small append writes: it touches an index page for each partition.
PAGE_BYTES = 2048
#: The write-ahead log: from this size `checkpoint` begins it anew; from this size a writer has to move it
#: into the file by itself, because nobody calls `checkpoint`; and what is kept for reuse of a larger one.
WAL_RESTART_BYTES = 16 << 20
WAL_LIMIT_BYTES = 48 << 20
WAL_KEPT_BYTES = 64 << 20

T = TypeVar("T")

_LOCK_RETRY_SECONDS = 0.0005


class LogFile:
    """A connection to the log's file, used by one thread at a time.

    Args:
        path: the SQLite file; its `-wal` and `-shm` companions lie beside it.
        settings: busy timeout and fsync.
        create: make the file (and its directory) when it is not there; a later reopening never does.

    Raises:
        LogUnavailable: it cannot be opened, or is something else than an event log.
        LogFull: no space to create it.
    """

    def __init__(self, path: Path, settings: LogSettings, *, create: bool) -> None:
        self.path = path
        #: Grows with each opening: what was cached under another number no longer holds.
        self.generation = 0
        self._settings = settings
        self._identity: tuple[int, int] | None = None
        self._closed = False
        self._db: sqlite3.Connection | None = None
        with self._plainly():
            self._db = self._open(create)

    def connection(self) -> sqlite3.Connection:
        """The connection to the file that is at the path now.

        Raises LogUnavailable when the file was deleted or replaced since the last use (the next call
        opens the new one), or is still missing.
        """
        if self._closed:
            raise LogUnavailable(f"this connection to the event log {self.path} is closed")
        if self._db is None:
            self._db = self._open(create=False)
        elif _identity(self.path) != self._identity:
            self._drop()
            raise LogUnavailable(
                f"the event log's file {self.path} was deleted or replaced while it was open",
                remedy="start the log again: ./task local:start:redpanda",
            )
        return self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: committed at the end, rolled back when anything is raised."""
        with self._plainly():
            db = self.connection()
            with self._locked(db):
                yield db

    @contextmanager
    def reading(self) -> Iterator[tuple[sqlite3.Connection, State]]:
        """A short read transaction: one consistent view for several statements; blocks no writer."""
        with self._plainly():
            db = self.connection()
            db.execute("BEGIN")
            try:
                yield db, self.patiently(lambda: read_state(db))
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")

    def data_version(self) -> int:
        """A number that changes when another connection commits; costs microseconds."""
        with self._plainly():
            db = self.connection()
            version: int = self.patiently(lambda: db.execute("PRAGMA data_version").fetchone())[0]
            return version

    def checkpoint(self) -> None:
        """Copy what is committed from the write-ahead log into the file.

        Mostly beside the writers. Only a write-ahead log over `WAL_RESTART_BYTES` is begun anew, which
        holds writers up for the rest that came in meanwhile; when one is writing, the next call tries again.
        """
        with self._plainly():
            db = self.connection()
            _, wal_pages, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if wal_pages * PAGE_BYTES >= WAL_RESTART_BYTES:
                db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    def close(self) -> None:
        """Release the connection; idempotent."""
        self._closed = True
        self._drop()

    def _open(self, create: bool) -> sqlite3.Connection:
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        elif not self.path.exists():
            raise LogUnavailable(
                f"the event log's file {self.path} does not exist",
                remedy="start the log: ./task local:start:redpanda",
            )
        mode = "rwc" if create else "rw"
        name = f"file:{quote(str(self.path))}?mode={mode}"
        db = sqlite3.connect(name, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._identity = _identity(self.path)
            self._prepare(db, create)
        except BaseException:
            db.close()
            raise
        self.generation += 1
        return db

    def _prepare(self, db: sqlite3.Connection, create: bool) -> None:
        laid_out = self.patiently(lambda: is_laid_out(db, self.path))
        if not laid_out and not create:
            raise LogUnavailable(f"the event log {self.path} is not laid out yet", remedy="try again")
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        if self.patiently(lambda: db.execute("PRAGMA journal_mode = WAL")).fetchone()[0] != "wal":
            raise LogUnavailable(
                f"the file system of {self.path} cannot share memory between processes",
                remedy="put the state directory on a local disk (ODIN_HOME)",
            )
        db.execute(f"PRAGMA synchronous = {'FULL' if self._settings.fsync else 'NORMAL'}")
        db.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
        db.execute(f"PRAGMA wal_autocheckpoint = {WAL_LIMIT_BYTES // PAGE_BYTES}")
        db.execute("PRAGMA secure_delete = OFF")
        if not laid_out:
            with self._locked(db):
                if not is_laid_out(db, self.path):
                    lay_out(db)

    @contextmanager
    def _locked(self, db: sqlite3.Connection) -> Iterator[None]:
        self.patiently(lambda: db.execute("BEGIN IMMEDIATE"))
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def patiently(self, attempt: Callable[[], T]) -> T:
        """Do it; while another process holds the lock, again, up to the busy timeout.

        SQLite's own waiting backs off to 100 ms a turn, which would become an append's latency.
        """
        deadline = None
        while True:
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                now = time.monotonic()
                deadline = deadline or now + self._settings.busy_timeout_seconds
                if now >= deadline:
                    raise
            time.sleep(_LOCK_RETRY_SECONDS)

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            plain = in_plain_words(error, self.path, self._settings.busy_timeout_seconds)
            if plain is None:
                raise
            raise plain from error
        except OSError as error:
            raise LogUnavailable(
                f"the event log {self.path} cannot be opened: {error.strerror}",
                remedy="check the owner and permissions of its directory",
            ) from error

    def _drop(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None


def wal_path(path: Path) -> Path:
    """Where SQLite keeps the write-ahead log of a file."""
    return path.with_name(path.name + "-wal")


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
