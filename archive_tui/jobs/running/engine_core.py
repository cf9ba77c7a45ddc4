"""What the parts of a job engine share: the queue, the runs of this process, and the telling of every change."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kind import JobResult
from archive_tui.jobs.queue.job_queue import JobQueue
from archive_tui.jobs.queue.job_rows import SnapshotReader, read_job, read_result
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.queue.workers import Worker
from archive_tui.jobs.running.job_news import JobNews, StateWatch
from archive_tui.jobs.running.job_runs import WrittenEnd
from archive_tui.jobs.running.running_job import RunningJob
from archive_tui.state.database import Committed

LIVE_KEPT = 1000
RESULTS_KEPT = 200
"""Results of runs of this process whose very objects are kept."""

Value = TypeVar("Value")


class EngineCore:
    """`lock` guards everything here, and orders changes of state; subscribers are told outside of it. `has_news`: since
    somebody took it back, states have changed, so that it is worth looking for work."""

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue
        self.lock = threading.RLock()
        self.news = JobNews()
        self.running: dict[int, RunningJob] = {}
        self.live: dict[int, Mapping[str, Any]] = {}
        self.unwritten: dict[int, WrittenEnd] = {}
        self.has_news = True
        self._worker: Worker | None = None
        self._watches: dict[JobDatabase, StateWatch] = {}
        self._readers: dict[JobDatabase, SnapshotReader] = {}
        self._results: OrderedDict[int, JobResult] = OrderedDict()
        self._remarks: list[str] = []

    @property
    def remarks(self) -> tuple[str, ...]:
        with self.lock:
            unwritten = (
                f"The end of job {job_id} is not written down, only this program knows it: {end.words}"
                for job_id, end in self.unwritten.items()
            )
            return (*self.queue.remarks, *self._remarks, *unwritten)

    def remark(self, text: str) -> None:
        """Keeps a sentence for the user, once."""
        with self.lock:
            if text not in self._remarks:
                self._remarks.append(text)

    @property
    def worker(self) -> Worker:
        """This engine as an owner of jobs; its lock file is made when it is first needed."""
        with self.lock:
            if self._worker is None:
                self._worker = Worker(self.queue.folder)
            return self._worker

    @property
    def known_here(self) -> frozenset[int]:
        """Numbers of jobs that this process knows better than the database."""
        with self.lock:
            return frozenset((*self.running, *self.unwritten))

    @property
    def worker_id(self) -> str:
        """Empty: this engine has never owned a job."""
        return "" if self._worker is None else self._worker.id

    def change(
        self,
        database: JobDatabase,
        work: Callable[[sqlite3.Connection], Value],
        *,
        then: Callable[[Value], object] = lambda value: None,
        durable: bool = True,
    ) -> Committed[Value] | None:
        """Runs `work` in a transaction, then `then` with what it returned, and tells which states have changed; None:
        nothing was written. Do not hold the lock."""
        with self.lock:
            self.look(database)
            done = database.transact(work, durable=durable)
            if done is not None:
                then(done.value)
                self.look(database)
        self.news.tell()
        return done

    def look(self, database: JobDatabase) -> None:
        """Puts changes of states that are not known yet into the line of news."""
        with self.lock:
            watch = self._watches.setdefault(database, StateWatch())
            changed: list[int] = database.read(watch.look, [])
            self.has_news = self.has_news or bool(changed)
            if self.news.has_subscribers:
                for job_id in changed:
                    snapshot = self.find(job_id)
                    if snapshot is not None:
                        self.news.announce(snapshot)

    def find(self, job_id: int) -> JobSnapshot | None:
        """Returns a job as it stands, without its result."""
        database = self.queue.of(job_id)
        return self._overlay(job_id, database.read(lambda connection: read_job(connection, job_id), None))

    def get(self, job_id: int) -> JobSnapshot | None:
        """Returns a job with all that is known of it."""
        snapshot = self.find(job_id)
        if snapshot is None or snapshot.result is not None or not snapshot.state.is_end:
            return snapshot
        with self.lock:
            known = self._results.get(job_id)
        if known is not None and (known.state, known.message) == (snapshot.state, snapshot.message):
            return replace(snapshot, result=known.value, findings=known.findings)
        return replace(snapshot, result=self._read_result(job_id))

    def list_recent(self, ended: int) -> tuple[JobSnapshot, ...]:
        """Returns all jobs that have not ended and the newest that have."""
        found: list[JobSnapshot] = []
        for database in self.queue.databases:
            with self.lock:
                reader = self._readers.setdefault(database, SnapshotReader())
                found += database.read(lambda connection, reader=reader: reader.read_recent(connection, ended), [])  # type: ignore[misc]
        known = {snapshot.id: snapshot for snapshot in found}
        for job_id in self.known_here:
            snapshot = self._overlay(job_id, known.get(job_id))
            if snapshot is not None:
                known[job_id] = snapshot
        return tuple(known[job_id] for job_id in sorted(known))

    def attach(self, job_id: int, live: Mapping[str, Any]) -> None:
        """Keeps what the submitter attached, as long as the job may run again."""
        with self.lock:
            self.live[job_id] = live
            while len(self.live) > LIVE_KEPT:
                self.live.pop(next(each for each in self.live if each not in self.running))

    def keep_result(self, job_id: int, result: JobResult) -> None:
        with self.lock:
            self._results[job_id] = result
            while len(self._results) > RESULTS_KEPT:
                self._results.popitem(last=False)

    def _overlay(self, job_id: int, snapshot: JobSnapshot | None) -> JobSnapshot | None:
        """What this process knows better than the database."""
        with self.lock:
            running, end = self.running.get(job_id), self.unwritten.get(job_id)
        if running is not None and not running.has_lost:
            return running.freeze(snapshot)
        return end.snapshot() if end is not None else snapshot

    def _read_result(self, job_id: int) -> Any:
        document = self.queue.of(job_id).read(lambda connection: read_result(connection, job_id), None)
        if document is None:
            return None
        from archive_tui.jobs.receipts.results import decode_result

        return decode_result(document)
