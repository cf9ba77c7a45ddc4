"""The state database survives what happens to files, and the program survives the state database."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.state.database import StateDatabase, find_state_file, open_state_database
from archive_tui.state.evidence_table import EvidenceTable

REPOSITORY = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable

path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
database = open_state_database(path, busy_seconds=60)
table = EvidenceTable(database)
for number in range(count):
    finding = Evidence(name, f"key-{number}", EvidenceLevel.READ, None, number, float(number), "read")
    assert table.record(finding), database.remarks
    print(number, flush=True)
"""

READER_WITHOUT_RIGHTS = """
import os
import sys
from pathlib import Path
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable

if os.geteuid() == 0:
    os.seteuid(65534)  # the permission bits mean nothing to root
database = open_state_database(Path(sys.argv[1]), busy_seconds=0.1)
table = EvidenceTable(database)
print(database.is_recording, table.record(Evidence("s", "k", EvidenceLevel.READ, None, 1, 2.0, "read")))
print(sorted(table.lookup_prefix("s")))
print(database.remarks)
"""


def start_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def count_rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM evidence").fetchone()[0])


def insert_number(number: int):  # type: ignore[no-untyped-def]
    return lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (number,))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[StateDatabase]:
    database = open_state_database(tmp_path / "folder" / "state.sqlite3", busy_seconds=0.1)
    assert database.write(lambda connection: connection.execute("CREATE TABLE numbers (n)"))
    yield database
    database.close()


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that another user can reach, too; the test's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="archive-tui-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def run_without_rights(path: Path) -> list[str]:
    arguments = [sys.executable, "-c", READER_WITHOUT_RIGHTS, str(path)]
    done = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_usual_place_is_the_state_folder_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert find_state_file() == tmp_path / "archive-tui" / "state.sqlite3"
    database = open_state_database()
    assert database.is_recording
    database.close()
    assert (tmp_path / "archive-tui" / "state.sqlite3").exists()


def test_what_is_written_is_there_after_opening_again(database: StateDatabase) -> None:
    assert database.write(insert_number(7))
    database.close()
    again = open_state_database(database.path)
    assert again.read(lambda connection: connection.execute("SELECT n FROM numbers").fetchall(), []) == [(7,)]
    again.close()


def test_a_write_that_fails_halfway_changes_nothing(database: StateDatabase) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO numbers VALUES (1)")
        connection.execute("INSERT INTO absent VALUES (1)")

    assert not database.write(fail)
    assert database.read(lambda connection: connection.execute("SELECT n FROM numbers").fetchall(), []) == []
    assert "no such table: absent" in database.remarks[0]


def test_threads_share_one_database(database: StateDatabase) -> None:
    results: list[bool] = []

    def write_many(first: int) -> None:
        results.extend(database.write(insert_number(first + number)) for number in range(50))

    threads = [threading.Thread(target=write_many, args=(first,)) for first in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 400
    rows = database.read(lambda connection: connection.execute("SELECT n FROM numbers ORDER BY n").fetchall(), [])
    assert rows == [(number,) for number in range(400)]


def test_processes_write_and_begin_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    writers = [start_writer(path, f"store-{number}", 60) for number in range(3)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    assert count_rows(path) == 180


def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    chance = random.Random(5)
    for round_number in range(3):
        with start_writer(path, f"store-{round_number}", 100_000) as writer:
            assert writer.stdout is not None
            acknowledged = [writer.stdout.readline() for _ in range(chance.randrange(5, 60))]
            writer.kill()
        database = open_state_database(path)
        assert len(EvidenceTable(database).lookup_prefix(f"store-{round_number}")) >= len(acknowledged)
        assert database.remarks == ()
        database.close()
    count_rows(path)


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be one" * 200, b"SQLite format 3\0" + bytes(4080)]
)
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.sqlite3"
    path.write_bytes(content)
    database = open_state_database(path)
    assert database.is_recording
    assert database.write(lambda connection: connection.execute("CREATE TABLE numbers (n)"))
    (kept,) = tmp_path.glob("state.sqlite3.damaged-*")
    assert kept.read_bytes() == content
    assert str(kept) in database.remarks[0]
    database.close()


def test_damage_that_shows_only_later_is_handled_the_same_way(database: StateDatabase) -> None:
    path = database.path
    assert path is not None
    database.write(lambda connection: connection.executemany("INSERT INTO numbers VALUES (?)", [("x" * 900,)] * 200))
    database.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    again = open_state_database(path)
    assert (
        again.read(lambda connection: connection.execute("SELECT count(n), max(n) FROM numbers").fetchall(), []) == []
    )
    assert again.write(lambda connection: connection.execute("CREATE TABLE numbers (n)"))
    (kept,) = path.parent.glob("state.sqlite3.damaged-*")
    assert kept.read_bytes() == bytes(content)
    assert any("damaged" in remark for remark in again.remarks)
    again.close()


def test_a_sound_file_is_never_set_aside_by_a_second_process(database: StateDatabase) -> None:
    from archive_tui.state.state_file import set_damaged_file_aside

    assert database.path is not None
    assert set_damaged_file_aside(database.path, 1.0) is None
    assert database.write(insert_number(1))


def test_a_locked_file_is_said_and_works_again_later(database: StateDatabase) -> None:
    assert database.path is not None
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not database.write(insert_number(1))
        assert "locked" in database.remarks[0]
        other.execute("COMMIT")
    assert database.write(insert_number(2))


def test_a_full_disk_is_said_and_nothing_is_lost(database: StateDatabase) -> None:
    assert database.write(insert_number(1))
    database.read(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone(), None)
    big = "x" * 100_000
    assert not database.write(lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (big,)))
    assert "full" in database.remarks[0]
    assert database.read(lambda connection: connection.execute("SELECT n FROM numbers").fetchall(), []) == [(1,)]


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    database = open_state_database(tmp_path / "file" / "state.sqlite3")
    assert not database.is_recording
    assert not database.write(lambda connection: None)
    assert database.read(lambda connection: 1, 0) == 0
    assert "Nothing is recorded" in database.remarks[0]


def test_a_user_without_a_home_has_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr("platformdirs.user_state_path", fail)
    database = open_state_database()
    assert not database.is_recording
    assert "no folder" in database.remarks[0]


def test_a_read_only_folder_shows_earlier_records_and_says_so(shared_folder: Path) -> None:
    path = shared_folder / "state.sqlite3"
    with start_writer(path, "s", 3) as writer:
        writer.wait()
    path.chmod(0o444)
    shared_folder.chmod(0o555)
    state, keys, remarks = run_without_rights(path)
    assert state == "False False"
    assert keys == "['key-0', 'key-1', 'key-2']"
    assert "not recorded" in remarks


def test_an_empty_read_only_folder_is_done_without(shared_folder: Path) -> None:
    shared_folder.chmod(0o555)
    state, keys, remarks = run_without_rights(shared_folder / "state.sqlite3")
    assert (state, keys) == ("False False", "[]")
    assert "Nothing is recorded" in remarks


def test_a_forked_child_uses_a_connection_of_its_own(database: StateDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    before = database._connection
    monkeypatch.setattr("os.getpid", lambda: 1)
    assert database.write(insert_number(3))
    assert database._connection is not before
    assert before is not None
    before.close()


def test_a_closed_database_records_nothing(database: StateDatabase) -> None:
    database.close()
    assert not database.write(insert_number(1))
    assert not database.is_recording
