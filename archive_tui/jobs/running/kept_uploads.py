"""The unfinished uploads of a running job, remembered in the database of jobs."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

from archive_tui.jobs.places import Place
from archive_tui.jobs.queue.claiming import ClaimedJob
from archive_tui.jobs.queue.endings import is_owner
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.queue.uploads import forget_token, keep_token, take_token


class KeptUploads:
    """Implements `objects.unfinished.UnfinishedUploads` for one place. What the database does not take is remembered
    for the time of the run, and `tell` is told once."""

    def __init__(
        self, database: JobDatabase, job: ClaimedJob, worker_id: str, place: Place, tell: Callable[[str], None]
    ) -> None:
        self._database = database
        self._job = job
        self._worker = worker_id
        self._place = place
        self._tell = tell
        self._lock = threading.Lock()
        self._unwritten: dict[tuple[str, str], str] = {}

    def find(self, identity: str, key: str) -> str | None:
        with self._lock:
            known = self._unwritten.get((identity, key))
        if known is not None:
            return known
        taken = self._database.transact(
            lambda connection: (
                take_token(connection, self._job.id, identity, key)
                if is_owner(connection, self._job, self._worker)
                else None
            ),
            durable=True,
        )
        return taken.value if taken is not None else None

    def keep(self, identity: str, key: str, token: str) -> None:
        def work(connection: sqlite3.Connection) -> bool:
            if not is_owner(connection, self._job, self._worker):
                return False
            keep_token(connection, self._job.id, identity, key, token, self._place)
            return True

        kept = self._database.transact(work, durable=True)
        if kept is None or not kept.value:
            with self._lock:
                is_first = not self._unwritten
                self._unwritten[identity, key] = token
            if is_first:
                self._tell(
                    "An upload that is interrupted now cannot be continued later: the list of jobs is not written."
                )

    def forget(self, identity: str, key: str) -> None:
        with self._lock:
            if self._unwritten.pop((identity, key), None) is not None:
                return
        self._database.transact(lambda connection: forget_token(connection, self._job.id, identity, key))
