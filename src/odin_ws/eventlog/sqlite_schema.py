"""The tables of the embedded log's file, and how a file is known to be one."""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from odin_ws.eventlog.base import LogUnavailable
from odin_ws.eventlog.sqlite_errors import RESET_REMEDY

#: Says "an odin-ws event log" in the file's header; `file` and a second program can tell.
APPLICATION_ID = 0x0D1_4106
SCHEMA_VERSION = 1

# Ids of records come from state.next_id and never repeat, whatever retention removes: the order of ids is
# the order of commits, which is what a follower follows. Partitions of a deleted topic stay, without
# records, so that a follower can still learn where the topic ended.
_SCHEMA = f"""
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    next_id INTEGER NOT NULL,        -- id of the next record
    trimmed_id INTEGER NOT NULL,     -- greatest id removed so far
    topics_version INTEGER NOT NULL, -- grows when topics come, go or change
    pinged_ms INTEGER NOT NULL
);
CREATE TABLE topics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    epoch TEXT NOT NULL UNIQUE,
    retention_ms INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX topics_alive ON topics (name) WHERE NOT deleted;
CREATE TABLE partitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    number INTEGER NOT NULL,
    earliest INTEGER NOT NULL DEFAULT 0,    -- first offset retained
    next_offset INTEGER NOT NULL DEFAULT 0  -- offset of the next record
);
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    partition_id INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    key BLOB,
    value BLOB NOT NULL
);
CREATE UNIQUE INDEX records_by_offset ON records (partition_id, offset, timestamp_ms);
INSERT INTO state VALUES (1, 1, 0, 1, 0);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


class State(NamedTuple):
    """The row that tells a reader or writer what others did meanwhile."""

    next_id: int
    trimmed_id: int
    topics_version: int


def read_state(db: sqlite3.Connection) -> State:
    """The state row as of the current transaction."""
    return State(*db.execute("SELECT next_id, trimmed_id, topics_version FROM state").fetchone())


def is_laid_out(db: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; raises LogUnavailable when the file is something else."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) == (APPLICATION_ID, SCHEMA_VERSION):
        return True
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application == APPLICATION_ID:
        what = f"an event log of format {version}, but this program reads format {SCHEMA_VERSION}"
    elif tables or application:
        what = "a SQLite database, but not an event log"
    else:
        return False
    raise LogUnavailable(f"{path} is {what}", remedy=RESET_REMEDY)


def lay_out(db: sqlite3.Connection) -> None:
    """Create the tables in an empty file, inside the caller's write transaction."""
    for statement in _SCHEMA.strip().split(";\n"):
        db.execute(statement)
