"""Where the jobs are kept: on the disk, and in memory where the disk cannot be had."""

from __future__ import annotations

import threading
from pathlib import Path

from archive_tui.jobs.queue.memory_database import JobDatabase, MemoryDatabase
from archive_tui.jobs.queue.tables import MIGRATIONS, WORDING
from archive_tui.state.database import BUSY_SECONDS, StateDatabase, find_state_file

FILE_NAME = "jobs.sqlite3"
LAST_ON_DISK = 1_000_000
"""Greater numbers are those of jobs in memory, where there is a file as well."""


def open_job_queue(path: Path | None = None, *, busy_seconds: float = BUSY_SECONDS) -> JobQueue:
    """Opens the queue of this user, or the file at `path`; begins it when it is absent. Never raises.

    What cannot be written down is kept in memory, for this process only; `JobQueue.remarks` says so. A damaged file is
    kept beside the new one. A file of a newer release is not touched.
    """
    if path is None:
        state = find_state_file()
        path = None if state is None else state.with_name(FILE_NAME)
    return JobQueue(StateDatabase(path, busy_seconds=busy_seconds, migrations=MIGRATIONS, wording=WORDING))


class JobQueue:
    """`disk` None: everything is in memory. Its methods may be called from any thread, and none of them raises."""

    def __init__(self, disk: StateDatabase | None = None) -> None:
        self._disk = disk if disk is None or disk.path is not None else None
        self._remarks = () if disk is None or self._disk is not None else disk.remarks
        self._memory: MemoryDatabase | None = None
        self._lock = threading.Lock()

    @property
    def path(self) -> Path | None:
        return self._disk.path if self._disk is not None else None

    @property
    def folder(self) -> Path | None:
        """Where the lock files of the workers lie; None: nobody else can see the jobs."""
        return self.path.parent if self.path is not None else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the state of the queue, oldest first; each sentence once."""
        return self._remarks if self._disk is None else (*self._remarks, *self._disk.remarks)

    @property
    def disk(self) -> JobDatabase | None:
        return self._disk

    @property
    def memory(self) -> JobDatabase:
        with self._lock:
            if self._memory is None:
                self._memory = MemoryDatabase(before=0 if self._disk is None else LAST_ON_DISK)
            return self._memory

    @property
    def databases(self) -> tuple[JobDatabase, ...]:
        """All in which there may be jobs."""
        if self._disk is None:
            return (self.memory,)
        return (self._disk,) if self._memory is None else (self._disk, self._memory)

    def of(self, job_id: int) -> JobDatabase:
        """The database that a job is in."""
        return self._disk if self._disk is not None and job_id <= LAST_ON_DISK else self.memory

    def is_in_memory(self, job_id: int) -> bool:
        """True: the job ends with this process."""
        return self._disk is None or job_id > LAST_ON_DISK

    def close(self) -> None:
        for database in self.databases:
            database.close()
