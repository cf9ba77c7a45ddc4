"""Taking jobs from the queue, as many as may run at once, and doing them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.queue.claiming import ClaimedJob, claim_next
from archive_tui.jobs.queue.job_rows import read_job
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.running.engine_core import EngineCore
from archive_tui.jobs.running.job_places import Limits, choose_opener
from archive_tui.jobs.running.job_runs import JobThreads, Surroundings, WrittenEnd, do_run, end_run
from archive_tui.jobs.running.leftovers import remove_leftovers
from archive_tui.jobs.running.run_outcome import RunOutcome
from archive_tui.jobs.running.running_job import RunningJob
from archive_tui.jobs.states import TRANSITIONS, JobState
from archive_tui.progress import Report, StopSignal, ignore, never


class JobTaker:
    """`wake` asks the watcher for a look. At most `workers` jobs run in threads of their own."""

    def __init__(
        self, core: EngineCore, wake: Callable[[], None], *, workers: int, evidence: Any, limits: Limits | None
    ) -> None:
        self.threads = JobThreads()
        self.is_taking = True
        self._core = core
        self._wake = wake
        self._workers = workers
        self._evidence = evidence
        self._limits = limits
        self._in_threads: set[int] = set()

    def take(self) -> bool:
        """Begins as many queued jobs as may run now; False when a database could not be written."""
        is_written = True
        for database in self._core.queue.databases:
            while (begun := self._take_one(database)) is not None:
                if not begun:
                    break
            else:
                is_written = is_written and not database.is_recording
        return is_written

    def _take_one(self, database: JobDatabase) -> bool | None:
        """Returns whether a job was begun; None: the database could not be written."""
        core = self._core
        begun: list[RunningJob] = []
        with core.lock:
            if not self.is_taking or len(self._in_threads) >= self._workers:
                return False

        def then(claimed: tuple[ClaimedJob, JobSnapshot] | None) -> None:
            if claimed is not None:
                begun.append(self.enroll(database, claimed))
                self._in_threads.add(claimed[0].id)

        def work(connection: sqlite3.Connection) -> tuple[ClaimedJob, JobSnapshot] | None:
            if not self.is_taking:
                return None
            has_room = None if self._limits is None else partial(self._has_room, self._limits)
            claimed = claim_next(connection, core.worker_id, lambda: core.worker.row, has_room, core.known_here)
            return None if claimed is None else with_snapshot(connection, claimed)

        if core.change(database, work, then=then) is None:
            return None
        for running in begun:
            self.threads.start(f"job-{running.job.id}", lambda running=running: self._run_in_thread(running))  # type: ignore[misc]
        return bool(begun)

    def enroll(
        self,
        database: JobDatabase,
        claimed: tuple[ClaimedJob, JobSnapshot],
        *,
        report: Report = ignore,
        stop: StopSignal = never,
    ) -> RunningJob:
        """Makes a claimed job one of the running ones. Hold the lock of the core."""
        job, snapshot = claimed
        core = self._core
        running = RunningJob(job, snapshot, database, core.worker.id, report=report, caller_stop=stop)
        core.running[job.id] = running
        core.unwritten.pop(job.id, None)
        return running

    def run(self, running: RunningJob, *, stays: bool = False) -> tuple[JobSnapshot, RunOutcome]:
        """Does a job in the calling thread, and writes down how it has ended. `stays`: when it waits for a retry,
        nobody else may take it."""
        core = self._core
        around = Surroundings(core.worker.id, self._evidence, self._limits)
        outcome = do_run(running, core.live.get(running.job.id, {}), around)
        end = end_run(running, outcome, around, stays=stays)
        self._finish(running, end)
        snapshot = end.snapshot() if not running.has_lost else core.get(running.job.id) or end.snapshot()
        return snapshot, outcome

    def clean_later(self, job_ids: list[int]) -> None:
        """Removes what cancelled jobs have left, in a thread of its own."""
        if job_ids:
            self.threads.start("job-cleaning", lambda: self._clean(job_ids))

    def _run_in_thread(self, running: RunningJob) -> None:
        try:
            self.run(running)
        finally:
            with self._core.lock:
                self._in_threads.discard(running.job.id)
                self._core.has_news = True
            self._wake()

    def _finish(self, running: RunningJob, end: WrittenEnd) -> None:
        core, job_id = self._core, running.job.id
        with core.lock:
            core.look(running.database)
            is_written = end.write()
            core.running.pop(job_id, None)
            if not is_written or running.is_orphan:
                core.unwritten[job_id] = end
            if not running.has_lost:
                core.keep_result(job_id, end.decision.result)
            if not TRANSITIONS[end.decision.state]:
                core.live.pop(job_id, None)
            core.look(running.database)
        core.news.tell()
        if end.decision.state is JobState.CANCELLED and not running.has_lost:
            self._clean([job_id])

    def _clean(self, job_ids: list[int]) -> None:
        opener = choose_opener(self._limits, JobPolicy(), never)
        for job_id in job_ids:
            remove_leftovers(self._core.queue.of(job_id), job_id, opener)

    def _has_room(self, limits: Limits, parameters: Mapping[str, Any]) -> bool:
        return limits.has_room(parameters, [running.job.parameters for running in self._core.running.values()])


def with_snapshot(connection: sqlite3.Connection, claimed: ClaimedJob) -> tuple[ClaimedJob, JobSnapshot]:
    snapshot = read_job(connection, claimed.id)
    assert snapshot is not None
    return claimed, snapshot
