"""Jobs that run in the thread of whoever asks for them: a command in the foreground is a job like any other."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kinds import find_kind
from archive_tui.jobs.queue.claiming import ClaimedJob, claim_job
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.queue.submitting import NewJob, describe_job, find_same_work, insert_job, take_up
from archive_tui.jobs.queue.transitions import enter_state, read_state
from archive_tui.jobs.queue.wishes import ask_to_go_on, ask_to_stop
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.running.engine_core import EngineCore
from archive_tui.jobs.running.job_taking import JobTaker, with_snapshot
from archive_tui.jobs.running.running_job import RunningJob
from archive_tui.jobs.states import JobState
from archive_tui.progress import Notice, Report, StopSignal

LOOK_SECONDS = 0.1
"""Between two looks at `stop` while a job waits for a retry."""

Claimed = tuple[ClaimedJob, JobSnapshot]


@dataclass(frozen=True, slots=True)
class HereRun:
    """A job that was run in the calling thread; `error` is what its operation raised in the last attempt."""

    snapshot: JobSnapshot
    error: BaseException | None


class HereRuns:
    """`wake` asks the watcher for a look."""

    def __init__(self, core: EngineCore, taker: JobTaker, wake: Callable[[], None]) -> None:
        self._core = core
        self._taker = taker
        self._wake = wake

    def run(self, request: JobRequest, live: Mapping[str, Any], report: Report, stop: StopSignal) -> HereRun:
        """Runs the job, again and again while its policy says so. Raises: ConfigurationError for an unknown kind."""
        running = self._begin(request, live, report, stop)
        if running.job.attempt > 1:
            report(Notice(f"Job {running.job.id} goes on: the same was begun before, and what it has is used."))
        return self._run(running, report, stop)

    def run_chosen(self, job_id: int, report: Report, stop: StopSignal) -> HereRun | None:
        """Runs a job that is there already: queued, resting, or not successful. None when it cannot be had: it is
        another's, or has succeeded."""
        database = self._core.queue.of(job_id)
        running = self._claim(database, lambda connection: self._take_up(connection, job_id), {}, report, stop)
        return None if running is None else self._run(running, report, stop)

    def _run(self, running: RunningJob, report: Report, stop: StopSignal) -> HereRun:
        while True:
            self._wake()
            snapshot, outcome = self._taker.run(running, stays=True)
            again = self._go_on(running.database, snapshot, report, stop)
            if again is None:
                return HereRun(self._core.get(snapshot.id) or snapshot, outcome.error)
            running = again

    def _begin(self, request: JobRequest, live: Mapping[str, Any], report: Report, stop: StopSignal) -> RunningJob:
        kind = find_kind(request.kind)
        disk = self._core.queue.disk
        if disk is not None:
            job = describe_job(request, outlives=kind.outlives_process)
            running = self._claim(disk, lambda connection: self._insert_or_adopt(connection, job), live, report, stop)
            if running is not None:
                return running
        job = describe_job(request, outlives=False)
        memory = self._core.queue.memory
        running = self._claim(memory, lambda connection: self._insert_or_adopt(connection, job), live, report, stop)
        assert running is not None
        return running

    def _insert_or_adopt(self, connection: sqlite3.Connection, job: NewJob) -> Claimed | None:
        """One transaction: nobody else can take the job between its being queued and its being ours."""
        worker = self._core.worker.row
        job_id = find_same_work(connection, job)
        if job_id is None:
            job_id = insert_job(connection, job, home=worker.id)
        else:
            take_up(connection, job_id, job)
            if read_state(connection, job_id) is not JobState.QUEUED:
                ask_to_go_on(connection, job_id, "The same was asked for again: it goes on.")
        claimed = claim_job(connection, worker, job_id)
        return None if claimed is None else with_snapshot(connection, claimed)

    def _take_up(self, connection: sqlite3.Connection, job_id: int) -> Claimed | None:
        ask_to_go_on(connection, job_id, "It goes on, in a terminal.")
        claimed = claim_job(connection, self._core.worker.row, job_id)
        return None if claimed is None else with_snapshot(connection, claimed)

    def _claim(
        self,
        database: JobDatabase,
        work: Callable[[sqlite3.Connection], Claimed | None],
        live: Mapping[str, Any],
        report: Report,
        stop: StopSignal,
    ) -> RunningJob | None:
        begun: list[RunningJob] = []

        def then(claimed: Claimed | None) -> None:
            if claimed is not None:
                self._core.attach(claimed[0].id, live)
                begun.append(self._taker.enroll(database, claimed, report=report, stop=stop))

        # Durable before the first thing that has to be remembered is, and not at the cost of every short command.
        self._core.change(database, work, then=then, durable=False)
        return begun[0] if begun else None

    def _go_on(
        self, database: JobDatabase, snapshot: JobSnapshot, report: Report, stop: StopSignal
    ) -> RunningJob | None:
        """Waits for the next attempt, and begins it; None: there is none."""
        job_id = snapshot.id
        is_waiting = snapshot.state is JobState.WAITING
        if not is_waiting and not (snapshot.state is JobState.QUEUED and self._taker.is_taking and not stop.is_set()):
            return None
        if is_waiting and not self._wait(database, job_id, stop):
            self._core.change(database, lambda connection: ask_to_stop(connection, job_id, JobState.PAUSED))
            return None

        def work(connection: sqlite3.Connection) -> Claimed | None:
            if read_state(connection, job_id) is JobState.WAITING:
                _queue_again(connection, job_id)
            claimed = claim_job(connection, self._core.worker.row, job_id)
            return None if claimed is None else with_snapshot(connection, claimed)

        live = self._core.live.get(job_id, {})
        return self._claim(database, work, live, report, stop)

    def _wait(self, database: JobDatabase, job_id: int, stop: StopSignal) -> bool:
        """Returns False when it was stopped, or is not to be tried again."""
        found = self._core.find(job_id)
        due = time.monotonic() + ((found.retry_in if found is not None else None) or 0.0)
        while time.monotonic() < due:
            if stop.is_set() or not self._taker.is_taking:
                return False
            state = database.read(lambda connection: read_state(connection, job_id), None)
            if state is not None and state is not JobState.WAITING:
                return state is JobState.QUEUED
            time.sleep(LOOK_SECONDS)
        return True


def _queue_again(connection: sqlite3.Connection, job_id: int) -> None:
    enter_state(connection, job_id, JobState.QUEUED, "Tried again.", message="")
