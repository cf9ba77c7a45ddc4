"""What the watcher of an engine does at each look: its own runs first, then those of others, then the queue."""

from __future__ import annotations

import time

from archive_tui.jobs.queue.claiming import bump_beats, has_jobs, other_workers, read_worker, release_worker
from archive_tui.jobs.queue.job_rows import has_unfinished
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.queue.relisting import list_again
from archive_tui.jobs.queue.retries import DueRetries
from archive_tui.jobs.queue.transitions import read_state
from archive_tui.jobs.queue.wishes import ask_to_stop
from archive_tui.jobs.queue.workers import WorkerWatch, remove_lock_file
from archive_tui.jobs.running.engine_core import EngineCore
from archive_tui.jobs.running.job_taking import JobTaker
from archive_tui.jobs.running.run_writing import read_wishes, write_progress
from archive_tui.jobs.running.running_job import RunningJob
from archive_tui.jobs.states import JobState

RUNNING_SECONDS = 0.25
"""Between two looks while a job runs here: progress is written as often."""

LOOK_SECONDS = 0.5
"""Between two looks at what other processes do."""

BEAT_SECONDS = 5.0
FAILED_SECONDS = 5.0
"""After the database did not take something, before it is asked again."""

OWNERS_SECONDS = 2.0
"""Between two looks whether the workers of others are alive."""


class Looks:
    """`look` is the watcher's; it returns the seconds until the next one, None: only when something happens."""

    def __init__(self, core: EngineCore, taker: JobTaker, *, takes_queued: bool) -> None:
        self._core = core
        self._taker = taker
        self._takes_queued = takes_queued
        self._watch = WorkerWatch(core.queue.folder)
        self._retries = DueRetries()
        self._versions: dict[JobDatabase, tuple[int, ...]] = {}
        self._beat_at = self._owners_at = self._take_at = self._ends_at = 0.0
        self._has_failed = False

    def look(self) -> float | None:
        try:
            return self._look()
        except Exception as error:  # noqa: BLE001  (the boundary of the thread: it must go on looking)
            self._core.remark(f"The jobs could not be looked after: {type(error).__name__}: {error}")
            return LOOK_SECONDS

    def _look(self) -> float | None:
        core = self._core
        with core.lock:
            running = list(core.running.values())
        self._look_after(running)
        self._beat()
        self.write_ends()
        is_changed = [self._look_at_changes(database) for database in core.queue.databases]
        self.release_dead()
        if self._takes_queued and self._taker.is_taking:
            self._retry_due()
            self._take()
        with core.lock:
            is_running = bool(core.running)
        if is_running or core.unwritten:
            return RUNNING_SECONDS
        needs_look = any(is_changed) or core.news.has_subscribers or self._has_unfinished()
        return LOOK_SECONDS if needs_look else None

    def release_dead(self, *, at_once: bool = False) -> None:
        """Lets go of the jobs whose workers are gone."""
        disk, folder = self._core.queue.disk, self._core.queue.folder
        now = time.monotonic()
        if disk is None or folder is None or (now - self._owners_at < OWNERS_SECONDS and not at_once):
            return
        self._owners_at = now
        own = self._core.worker_id
        nobody: set[str] = set()
        for worker_id in disk.read(lambda connection: other_workers(connection, own), nobody):
            row = disk.read(lambda connection, worker_id=worker_id: read_worker(connection, worker_id), None)  # type: ignore[misc]
            if self._watch.is_dead(worker_id, row):
                self._release(disk, worker_id)
                remove_lock_file(folder, worker_id)

    def _release(self, disk: JobDatabase, worker_id: str) -> None:
        done = self._core.change(disk, lambda connection: release_worker(connection, worker_id))
        changed = done.value if done is not None else []
        states = [(job_id, disk.read(lambda c, job_id=job_id: read_state(c, job_id), None)) for job_id in changed]  # type: ignore[misc]
        self._taker.clean_later([job_id for job_id, state in states if state is JobState.CANCELLED])

    def _look_after(self, running: list[RunningJob]) -> None:
        core = self._core
        if not running:
            return
        worker_id = core.worker.id
        read_wishes(running, worker_id)
        for job in running:
            if not job.is_listed and job.database.is_recording:
                self._list_again(job)
            job.check_deadline()
            if job.is_asked_by_caller and not job.is_stop_written:
                job.is_stop_written = True
                core.change(job.database, lambda c, job=job: ask_to_stop(c, job.job.id, JobState.PAUSED))  # type: ignore[misc]
            write_progress(job, worker_id)
            if job.journal.is_due:
                job.journal.flush()

    def _list_again(self, job: RunningJob) -> None:
        """Nothing that runs is lost with its list."""
        core, worker, known = self._core, self._core.worker.row, job.begun_as
        core.change(job.database, lambda connection: list_again(connection, worker, job.job, known))

    def _beat(self) -> None:
        """Also between two attempts: a job that only this worker may run is lost when the worker seems dead."""
        disk, worker_id, now = self._core.queue.disk, self._core.worker_id, time.monotonic()
        if disk is None or not worker_id or now - self._beat_at < BEAT_SECONDS:
            return
        self._beat_at = now
        if disk.read(lambda connection: has_jobs(connection, worker_id), False):
            disk.transact(lambda connection: bump_beats(connection, [worker_id]))

    def write_ends(self) -> None:
        """Tries again what could not be written."""
        core = self._core
        with core.lock:
            now = time.monotonic()
            waiting = [end for end in core.unwritten.values() if not end.running.is_orphan and now >= self._ends_at]
            for end in waiting:
                if end.write() and not end.running.is_orphan:
                    core.unwritten.pop(end.running.job.id, None)
                    core.look(end.running.database)
                else:
                    self._ends_at = now + FAILED_SECONDS
        if waiting:
            core.news.tell()

    def _look_at_changes(self, database: JobDatabase) -> bool:
        version = database.read(
            lambda c: (id(c), c.total_changes, int(c.execute("PRAGMA data_version").fetchone()[0])), (0, 0, 0)
        )
        if self._versions.get(database) == version:
            return False
        self._versions[database] = version
        self._core.look(database)
        self._core.news.tell()
        return True

    def _take(self) -> None:
        core, now = self._core, time.monotonic()
        with core.lock:
            has_news, core.has_news = core.has_news, False
        if now < self._take_at or not (has_news or self._has_failed):
            return
        self._has_failed = not self._taker.take()
        if self._has_failed:
            self._take_at = now + FAILED_SECONDS

    def _retry_due(self) -> None:
        core = self._core
        for database in core.queue.databases:
            due: list[int] = database.read(lambda c: self._retries.find_due(c, core.worker_id), [])
            for job_id in due:
                core.change(database, lambda c, job_id=job_id: self._retries.retry(c, job_id))  # type: ignore[misc]

    def _has_unfinished(self) -> bool:
        return any(database.read(has_unfinished, False) for database in self._core.queue.databases)
