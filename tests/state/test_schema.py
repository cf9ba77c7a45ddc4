"""Steps of the schema are applied in order, once, and never to a newer file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.state import schema
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable


def read_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return schema.read_schema_version(connection)


def test_a_new_file_gets_the_newest_schema(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    open_state_database(path).close()
    assert read_version(path) == schema.SCHEMA_VERSION


def test_an_older_file_gets_the_missing_steps_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.sqlite3"
    open_state_database(path).close()
    steps = (("CREATE TABLE later (x)",), ("INSERT INTO later VALUES (7)", "ALTER TABLE later RENAME TO latest"))
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + steps)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 2)
    database = open_state_database(path)
    assert database.read(lambda connection: connection.execute("SELECT x FROM latest").fetchall(), []) == [(7,)]
    assert database.remarks == ()
    database.close()
    assert read_version(path) == schema.SCHEMA_VERSION


def test_a_step_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.sqlite3"
    open_state_database(path).close()
    before = read_version(path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE half (x)", "NOT SQL")))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
    database = open_state_database(path)
    assert not database.is_recording
    assert database.remarks
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        assert schema.read_schema_version(connection) == before
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


def test_the_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    database = open_state_database(path)
    assert not database.is_recording
    assert not database.write(lambda connection: None)
    assert "newer release" in database.remarks[0]
    database.close()
    assert read_version(path) == schema.SCHEMA_VERSION + 1


def test_the_database_of_the_first_release_opens_and_keeps_its_evidence(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        for statement in schema.MIGRATIONS[0]:
            connection.execute(statement)
        row = ("mem://a/x.zip", 50, "ab" * 32, 7, 1.5e9, "Every byte read.", None)
        connection.execute("INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    database = open_state_database(path)
    known = EvidenceTable(database).lookup("mem://a", ["x.zip"])
    assert known["x.zip"].digest == "ab" * 32
    assert database.remarks == ()
    assert database.read(lambda connection: connection.execute("SELECT count(*) FROM known_manifest").fetchone(), None)
    database.close()
    assert read_version(path) == schema.SCHEMA_VERSION
