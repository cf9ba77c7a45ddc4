"""The tables of the queue in memory: for jobs that end with the program."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from archive_tui.jobs.queue.tables import MIGRATIONS
from archive_tui.state.database import Committed
from archive_tui.state.schema import migrate

Result = TypeVar("Result")


class JobDatabase(Protocol):
    """What the queue needs of a database; nothing of it raises. `transact` returns None when nothing was written."""

    @property
    def remarks(self) -> tuple[str, ...]: ...

    @property
    def is_recording(self) -> bool: ...

    def transact(
        self, work: Callable[[sqlite3.Connection], Result], *, durable: bool = False
    ) -> Committed[Result] | None: ...

    def read(self, work: Callable[[sqlite3.Connection], Result], default: Result) -> Result: ...

    def close(self) -> None: ...


class MemoryDatabase:
    """Its numbers begin after `before`. Threads may use it at once."""

    def __init__(self, *, before: int = 0) -> None:
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        migrate(self._connection, MIGRATIONS)
        self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('job', ?)", (before,))

    @property
    def remarks(self) -> tuple[str, ...]:
        return ()

    @property
    def is_recording(self) -> bool:
        return self._connection is not None

    def transact(
        self, work: Callable[[sqlite3.Connection], Result], *, durable: bool = False
    ) -> Committed[Result] | None:
        with self._lock:
            if self._connection is None:
                return None
            self._connection.execute("BEGIN")
            try:
                value = work(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            return Committed(value)

    def read(self, work: Callable[[sqlite3.Connection], Result], default: Result) -> Result:
        with self._lock:
            return default if self._connection is None else work(self._connection)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
