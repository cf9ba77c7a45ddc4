"""Jobs that wait to be tried again. A wait is measured by the monotonic clock of whoever watches it: a wall clock that
jumps can shorten it to nothing, but never make it longer than it was meant to be."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from archive_tui.jobs.queue.job_rows import seconds_left
from archive_tui.jobs.queue.transitions import enter_state, read_state
from archive_tui.jobs.states import JobState


class DueRetries:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[tuple[int, int], float] = {}

    def find_due(self, connection: sqlite3.Connection, worker_id: str) -> list[int]:
        """Returns the jobs whose wait is over, of those that this worker may run and that do not stay with a caller."""
        rows = connection.execute(
            """SELECT id, attempt, wait, retry_at FROM job
               WHERE state = ? AND owner IS NULL AND (home IS NULL OR home = ?) ORDER BY position""",
            (JobState.WAITING.value, worker_id),
        ).fetchall()
        now = self._clock()
        known = self._due
        self._due = {
            (job_id, attempt): known.get((job_id, attempt), now + (seconds_left(wait, retry_at) or 0.0))
            for job_id, attempt, wait, retry_at in rows
        }
        return [job_id for (job_id, _), due in self._due.items() if now >= due]

    def retry(self, connection: sqlite3.Connection, job_id: int) -> bool:
        """Queues a job that still waits."""
        if read_state(connection, job_id) is not JobState.WAITING:
            return False
        enter_state(connection, job_id, JobState.QUEUED, "Tried again.", message="")
        return True
