"""The file behind the state database: opening it, and setting a damaged one aside."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from archive_tui.state.schema import Migrations, migrate, refuse_newer

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NETWORK_KINDS = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "fuse.sshfs", "glusterfs")
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_damage(error: sqlite3.Error) -> bool:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED  # the upper bits only refine the reason


def open_for_writing(path: Path, busy_seconds: float, migrations: Migrations | None = None) -> sqlite3.Connection:
    """Opens or begins the file, and brings its tables up to date.

    Raises: sqlite3.Error, NewerSchemaError.
    """
    _begin_private(path)
    connection = _open_connection(path, "rwc", busy_seconds)
    try:
        refuse_newer(connection, migrations)  # before anything in it is changed
        # Processes on two computers cannot share the memory that a write-ahead log needs.
        _use_journal(connection, "DELETE" if is_on_network(path) else "WAL", busy_seconds)
        connection.execute("PRAGMA synchronous = NORMAL")
        migrate(connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path, busy_seconds: float, migrations: Migrations | None = None) -> sqlite3.Connection:
    """Opens a file that cannot be written, for reading only.

    Raises: sqlite3.Error, also when its tables are older than this program's; NewerSchemaError.
    """
    # A log cannot be followed in a folder that forbids its shared memory; without a log the file alone is complete.
    has_log = path.with_name(path.name + "-wal").exists()
    modes = ("ro",) if has_log else ("ro", "ro&immutable=1")
    for mode in modes:
        connection = _open_connection(path, mode, busy_seconds)
        try:
            migrate(connection, migrations)  # changes nothing when up to date, and fails when it would have to
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return connection
        except BaseException as error:
            connection.close()
            if mode == modes[-1] or not isinstance(error, sqlite3.OperationalError):
                raise
    raise AssertionError("unreachable")


def set_damaged_file_aside(path: Path, busy_seconds: float) -> Path | None:
    """Renames a damaged file; returns its new path, or None when another process has done so meanwhile.

    Raises: OSError when the folder forbids it.
    """
    with _only_one_process(path.with_name(path.name + ".lock")):
        if _is_sound(path, busy_seconds):
            return None
        kept = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}")
        for suffix in ("-wal", "-shm", ""):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                companion.rename(kept.with_name(kept.name + suffix))
        return kept


def _begin_private(path: Path) -> None:
    """What somebody has and does with it is nobody else's business, also in a folder that others may read. The log and
    the shared memory beside the file get its permissions from SQLite. An empty file is a new database to it."""
    with contextlib.suppress(OSError):  # SQLite says better what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _open_connection(path: Path, mode: str, busy_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )


def is_on_network(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """True when other computers may have the same folder; False where the system does not tell (proc(5))."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return False
    kinds: dict[Path, str] = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        if len(before.split()) > 4 and after:
            kinds[Path(before.split()[4].replace("\\040", " "))] = after.split()[0]
    above = (path.absolute(), *path.absolute().parents)
    kind = next((kinds[folder] for folder in above if folder in kinds), "")
    return kind.startswith(_NETWORK_KINDS)


def _use_journal(connection: sqlite3.Connection, mode: str, busy_seconds: float) -> None:
    # Switching the journal does not wait for others by itself, as everything else does.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _is_sound(path: Path, busy_seconds: float) -> bool:
    if not path.exists():
        return True
    try:
        with closing(_open_connection(path, "rw", busy_seconds)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return False


@contextmanager
def _only_one_process(lock_file: Path) -> Iterator[None]:
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
