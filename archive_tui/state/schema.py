"""The tables of the state database, as steps that are applied in order and never changed afterwards."""

from __future__ import annotations

import sqlite3

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # `object` is the store's identity, a slash, and the key: a folder reached by two roots has one record.
        """CREATE TABLE evidence (
               object TEXT PRIMARY KEY, level INTEGER NOT NULL, digest TEXT, size INTEGER NOT NULL,
               checked_at REAL NOT NULL, method TEXT NOT NULL, version TEXT
           ) WITHOUT ROWID""",
        """CREATE TABLE evidence_history (
               id INTEGER PRIMARY KEY, object TEXT NOT NULL, level INTEGER NOT NULL, digest TEXT,
               size INTEGER NOT NULL, checked_at REAL NOT NULL, method TEXT NOT NULL, version TEXT
           )""",
        "CREATE INDEX evidence_history_by_object ON evidence_history (object, id)",
    ),
    (
        # A path is bytes: names of files need not be text.
        """CREATE TABLE known_manifest (
               path BLOB NOT NULL, store TEXT NOT NULL, prefix TEXT NOT NULL, lines INTEGER NOT NULL,
               used_at REAL NOT NULL, PRIMARY KEY (path, store, prefix)
           ) WITHOUT ROWID""",
    ),
)
"""Step n takes a database of version n - 1 to version n; version 0 is an empty file."""

Migrations = tuple[tuple[str, ...], ...]

SCHEMA_VERSION = len(MIGRATIONS)


class NewerSchemaError(Exception):
    """The file was written by a newer release; nothing in it is touched."""


def read_schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(connection: sqlite3.Connection, migrations: Migrations | None = None) -> None:
    """Raises: NewerSchemaError when there are steps in the file that this release does not know; sqlite3.Error."""
    if read_schema_version(connection) > len(MIGRATIONS if migrations is None else migrations):
        raise NewerSchemaError


def migrate(connection: sqlite3.Connection, migrations: Migrations | None = None) -> None:
    """Takes the steps that are missing, in one transaction; of several processes one does it. None: MIGRATIONS.

    Raises: NewerSchemaError, sqlite3.Error.
    """
    steps = MIGRATIONS if migrations is None else migrations
    if read_schema_version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = read_schema_version(connection)
        if version > len(steps):
            raise NewerSchemaError
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
