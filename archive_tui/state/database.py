"""A state database of a user: SQLite, shared by threads and by several processes at once.

It is a memory, not a source of truth: whatever happens to the file, the program goes on, without recording if need be,
and says so in `StateDatabase.remarks`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from archive_tui.state.schema import Migrations, NewerSchemaError
from archive_tui.state.state_file import is_damage, open_for_reading, open_for_writing, set_damaged_file_aside
from archive_tui.state.wording import EVIDENCE_WORDING, DatabaseWording

FILE_NAME = "state.sqlite3"
BUSY_SECONDS = 5.0
"""How long a reader or writer waits for another process before it gives up."""

RETRY_SECONDS = 60.0
"""After the file could not be opened: how long calls go without it, or only read it, before it is tried again."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Committed(Generic[Result]):
    """What a transaction returned that was committed."""

    value: Result


def open_state_database(path: Path | None = None, *, busy_seconds: float = BUSY_SECONDS) -> StateDatabase:
    """Opens the state of this user, or the file at `path`; begins it when it is absent. Never raises.

    A damaged file is kept beside the new one, as `state.sqlite3.damaged-<time>`. A file that cannot be written is
    read; one that cannot be opened is done without.
    """
    if path is None:
        path = find_state_file()
    return StateDatabase(path, busy_seconds=busy_seconds)


def find_state_file() -> Path | None:
    """Returns where this user's state belongs; None when the user has no home."""
    import platformdirs

    try:
        return platformdirs.user_state_path("archive-tui") / FILE_NAME
    except (OSError, RuntimeError):
        return None


class StateDatabase:
    """Threads and processes may use it at once; a failure becomes a remark and a False, never an error.

    `migrations` None: the tables of `state.schema`. A file that was renamed, removed or replaced by somebody is left
    for the one that has its name now.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        busy_seconds: float = BUSY_SECONDS,
        migrations: Migrations | None = None,
        wording: DatabaseWording = EVIDENCE_WORDING,
    ) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._migrations = migrations
        self._wording = wording
        self._lock = threading.RLock()
        self._remarks: list[str] = []
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._process = os.getpid()
        self._retry_at = 0.0
        self._is_closed = False
        self._is_writable = self._was_replaced = False
        with self._lock:
            self._connect()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the state of the records, oldest first; each sentence once."""
        with self._lock:
            return tuple(self._remarks)

    @property
    def is_recording(self) -> bool:
        """False while nothing that is written would be kept."""
        with self._lock:
            return self._connection is not None and self._is_writable

    def write(self, work: Callable[[sqlite3.Connection], object], *, durable: bool = False) -> bool:
        """Runs `work` in one transaction. Returns True when it is committed; otherwise False, and nothing changes.
        `durable`: it is on the disk, whatever happens to the system; otherwise only a crash of the system can undo it.
        """
        return self.transact(work, durable=durable) is not None

    def transact(
        self, work: Callable[[sqlite3.Connection], Result], *, durable: bool = False
    ) -> Committed[Result] | None:
        """As `write`, for work that returns something."""
        with self._lock:
            for may_recover in (True, False):
                connection = self._connect()
                if connection is None or not self._is_writable:
                    return None
                try:
                    with _transaction(connection, durable):
                        value = work(connection)
                    return Committed(value)
                except sqlite3.Error as error:
                    if not self._recover(error, self._wording.not_written, may_recover):
                        return None
        return None

    def read(self, work: Callable[[sqlite3.Connection], Result], default: Result) -> Result:
        """Returns what `work` returns, or `default` when the records cannot be read."""
        with self._lock:
            for may_recover in (True, False):
                connection = self._connect()
                if connection is None:
                    return default
                try:
                    return work(connection)
                except sqlite3.Error as error:
                    if not self._recover(error, self._wording.not_read, may_recover):
                        return default
        return default

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._drop_connection()

    def _connect(self) -> sqlite3.Connection | None:
        if self._process != os.getpid():
            # A connection must not be used, nor closed, on both sides of a fork.
            self._process, self._connection, self._is_writable = os.getpid(), None, False
        if self._connection is not None and self._file != _identify(self.path):
            self._drop_connection()
            self._was_replaced = True
        if self._is_writable or self._is_closed or time.monotonic() < self._retry_at:
            return self._connection
        self._drop_connection()
        if self.path is None:
            self._remark(self._wording.no_folder)
            self._is_closed = True
            return None
        try:
            self._open_file(self.path)
        except NewerSchemaError:
            self._give_up("it was written by a newer release of this program")
        except (sqlite3.Error, OSError) as error:
            self._open_read_only(self.path, error)
        return self._connection

    def _open_file(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            connection = open_for_writing(path, self._busy_seconds, self._migrations)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            self._set_aside(path)
            connection = open_for_writing(path, self._busy_seconds, self._migrations)
        self._connection, self._file = connection, _identify(path)
        self._is_writable = True
        if self._was_replaced:
            self._was_replaced = False
            self._remark(f"{self._wording.replaced}: {path}")

    def _open_read_only(self, path: Path, cause: Exception) -> None:
        try:
            self._connection = open_for_reading(path, self._busy_seconds, self._migrations)
        except (sqlite3.Error, OSError, NewerSchemaError):
            self._give_up(str(cause))
            return
        self._file = _identify(path)
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._remark(f"{self._wording.read_only}: {path}: {cause}")

    def _set_aside(self, path: Path) -> None:
        kept = set_damaged_file_aside(path, self._busy_seconds)
        if kept is not None:
            self._remark(f"{self._wording.set_aside}: {kept}")

    def _recover(self, error: sqlite3.Error, what: str, may_recover: bool) -> bool:
        """Returns True when it is worth trying once more."""
        if not (may_recover and is_damage(error) and self._is_writable):
            self._remark(f"{what}: {self.path}: {error}")
            return False
        self._drop_connection()
        assert self.path is not None
        try:
            self._set_aside(self.path)
        except (OSError, sqlite3.Error) as refused:
            self._give_up(str(refused))
            return False
        return True

    def _give_up(self, reason: str) -> None:
        self._drop_connection()
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._remark(f"{self._wording.unusable}: {self.path}: {reason}")

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._is_writable = False

    def _remark(self, text: str) -> None:
        if text not in self._remarks:
            self._remarks.append(text)


def _identify(path: Path | None) -> tuple[int, int] | None:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status is not None else None


@contextmanager
def _transaction(connection: sqlite3.Connection, durable: bool) -> Iterator[None]:
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
