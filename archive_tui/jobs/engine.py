"""Runs what takes long: a job outlives the screen and the process that asked for it, and ends with an honest word.

Jobs are kept in a queue (`jobs.queue`) that several processes share; each is run by one of them at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from archive_tui.conflicts import ConflictRule
from archive_tui.errors import ArchiveError, ConfigurationError
from archive_tui.jobs.kinds import find_kind
from archive_tui.jobs.queue.claiming import insert_worker, release_worker
from archive_tui.jobs.queue.decisions import read_question, write_answer
from archive_tui.jobs.queue.job_queue import JobQueue
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.queue.submitting import NewJob, describe_job, insert_job
from archive_tui.jobs.queue.wishes import ask_to_go_on, ask_to_stop, move_job
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.running.engine_core import EngineCore
from archive_tui.jobs.running.engine_views import JobViews
from archive_tui.jobs.running.job_news import Subscriber
from archive_tui.jobs.running.job_places import Limits
from archive_tui.jobs.running.job_taking import JobTaker
from archive_tui.jobs.running.looking_after import Looks
from archive_tui.jobs.running.running_here import HereRun, HereRuns
from archive_tui.jobs.running.watcher import Watcher
from archive_tui.jobs.states import JobState
from archive_tui.progress import Report, StopSignal, ignore, never

__all__ = ["HereRun", "JobEngine"]

_SHUTDOWN = "The program was ended."


class JobEngine(JobViews):
    """Owns the threads of all jobs that run in this process, so that listings and hashing elsewhere never wait for a
    transfer.

    `queue` None: one in memory, whose jobs end with the engine. With `takes_queued` it works through the queue,
    `workers` jobs at once; without, it only looks, queues, and runs what `run_here` is given. All methods may be called
    from any thread. Subscribers are called outside of every lock, and must not raise.
    """

    def __init__(
        self,
        queue: JobQueue | None = None,
        *,
        workers: int = 2,
        takes_queued: bool = True,
        evidence: Any = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(
            EngineCore(queue if queue is not None else JobQueue()), lambda: self._looks.release_dead(at_once=True)
        )
        self._watcher = Watcher(lambda: self._looks.look())
        self._taker = JobTaker(self._core, self._watcher.wake, workers=workers, evidence=evidence, limits=limits)
        self._looks = Looks(self._core, self._taker, takes_queued=takes_queued)
        self._here = HereRuns(self._core, self._taker, self._watcher.wake)
        self._takes_queued = takes_queued
        if takes_queued and self.is_busy:
            self._watcher.wake()

    # What goes in.

    def submit(self, request: JobRequest, *, live: Mapping[str, Any] | None = None) -> int:
        """Queues the job and returns its number. `live` is handed to its run when this engine runs it; as long as this
        process lives, no other takes such a job.

        Raises: RuntimeError after `close`; ConfigurationError for an unknown kind; ArchiveError (queue-unusable) when
        the job cannot be written down and this engine would not run it.
        """
        if not self._taker.is_taking:
            raise RuntimeError("The job engine is closed.")
        kind = find_kind(request.kind)
        disk = self._core.queue.disk
        if disk is not None:
            outlives = kind.outlives_process or not self._takes_queued
            job_id = self._insert(disk, describe_job(request, outlives=outlives), live)
            if job_id is not None:
                return job_id
        if not self._takes_queued:
            raise ArchiveError(
                "The job cannot be queued, the list of jobs is not to be written.",
                hint=" ".join(self.remarks[-1:]),
                code="queue-unusable",
            )
        job_id = self._insert(self._core.queue.memory, describe_job(request, outlives=False), live)
        assert job_id is not None
        return job_id

    def run_here(
        self,
        request: JobRequest,
        *,
        live: Mapping[str, Any] | None = None,
        report: Report = ignore,
        stop: StopSignal = never,
    ) -> HereRun:
        """Runs a job in the calling thread and returns how it has ended. An unfinished job that asks for the same and
        that nobody runs is gone on with. When `stop` is set the job is paused.

        Raises: ConfigurationError for an unknown kind.
        """
        self._release_dead()
        return self._here.run(request, live or {}, report, stop)

    def run_chosen(self, job_id: int, *, report: Report = ignore, stop: StopSignal = never) -> HereRun | None:
        """Runs that job of the queue in the calling thread, as `run_here` does; one that rests or did not succeed is
        taken up. None when it cannot be had: another process runs it, or it has succeeded."""
        self._looks.release_dead(at_once=True)
        return self._here.run_chosen(job_id, report, stop)

    # What people ask for.

    def pause(self, job_id: int) -> bool:
        """Asks a job to pause; it is `stopping` until its operation has ended. True when that changed anything."""
        return self._ask_to_stop(job_id, JobState.PAUSED)

    def cancel(self, job_id: int) -> bool:
        """Asks a job to stop for good: at once when nobody runs it. What it has left in stores and folders is removed.
        True when that changed anything; a job that has ended, or an unknown number, is left alone."""
        is_changed = self._ask_to_stop(job_id, JobState.CANCELLED)
        found = self._core.find(job_id) if is_changed else None
        if found is not None and found.state is JobState.CANCELLED:
            self._taker.clean_later([job_id])
        return is_changed

    def resume(self, job_id: int) -> bool:
        """Queues a job again that was paused, that waits, or did not succeed. True when that changed anything."""
        done = self._core.change(self._core.queue.of(job_id), lambda connection: ask_to_go_on(connection, job_id))
        self._watcher.wake()
        return done is not None and done.value

    def retry(self, job_id: int) -> bool:
        """The same as `resume`, under the name that one uses for a job that failed."""
        return self.resume(job_id)

    def move(self, job_id: int, *, up: bool) -> bool:
        """Has a job that nobody runs change places with its neighbour in the queue."""
        done = self._core.change(self._core.queue.of(job_id), lambda connection: move_job(connection, job_id, up=up))
        return done is not None and done.value

    def answer(self, job_id: int, item: str, rule: ConflictRule, *, for_all: bool = False) -> bool:
        """Decides a conflict; `for_all`: and all others of the job for which the rule is possible. A job with nothing
        left to decide is queued. Returns False when there is no such question.

        Raises: ConfigurationError (rule-not-possible).
        """
        database = self._core.queue.of(job_id)
        question = database.read(lambda connection: read_question(connection, job_id, item), None)
        if question is None:
            return False
        if rule not in question.conflict.choices:
            raise ConfigurationError(
                f"This is not possible here: {rule}",
                hint=f"Possible: {', '.join(question.conflict.choices)}.",
                code="rule-not-possible",
            )
        done = self._core.change(
            database, lambda connection: write_answer(connection, job_id, item, rule, for_all=for_all)
        )
        self._watcher.wake()
        return done is not None

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Calls `callback` with the snapshot of a job whenever its state changes, in whichever process; returns what
        ends that."""
        for database in self._core.queue.databases:
            self._core.look(database)
        unsubscribe = self._core.news.subscribe(callback)
        self._watcher.wake()
        return unsubscribe

    # The end.

    def detach(self) -> None:
        """Takes no more, asks all jobs that run here to stop, and returns when they have; they stay queued."""
        core = self._core
        self._let_go()
        self._taker.threads.join()
        with core.news.changed:
            core.news.changed.wait_for(lambda: not core.running)

    def close(self, *, wait: bool = True) -> None:
        """Lets go of everything: jobs that run here stop, stay queued, and are gone on with next time. Jobs that nobody
        could go on with are cancelled. May be called twice. `wait` False: they are told to stop, and their process is
        about to end."""
        if not wait:
            self._let_go()
            return
        self.detach()
        self._watcher.close()
        self._looks.write_ends()
        worker_id = self._core.worker_id
        if worker_id:
            released = [
                self._core.change(
                    database, lambda connection: release_worker(connection, worker_id, _SHUTDOWN), durable=False
                )
                for database in self._core.queue.databases
            ]
            self._core.worker.close(is_forgotten=None not in released)

    def _let_go(self) -> None:
        self._taker.is_taking = False
        with self._core.lock:
            running = list(self._core.running.values())
        for job in running:
            self._ask_to_stop(job.job.id, JobState.QUEUED)
            job.ask_to_stop(JobState.QUEUED)

    def _insert(self, database: JobDatabase, job: NewJob, live: Mapping[str, Any] | None) -> int | None:
        is_bound = self._takes_queued and (live is not None or not job.outlives)

        def work(connection: sqlite3.Connection) -> int:
            if is_bound:
                insert_worker(connection, self._core.worker.row)
            queue = self._core.queue
            on_disk = (number for number in self._core.known_here if not queue.is_in_memory(number))
            after = 0 if database is queue.memory else max(on_disk, default=0)
            return insert_job(connection, job, home=self._core.worker.id if is_bound else None, after=after)

        def then(job_id: int) -> None:
            if live is not None and self._takes_queued:
                self._core.attach(job_id, live)

        done = self._core.change(database, work, then=then)
        self._watcher.wake()
        return None if done is None else done.value

    def _ask_to_stop(self, job_id: int, wanted: JobState) -> bool:
        core = self._core

        def stop_here(is_changed: bool) -> bool:
            with core.lock:
                running = core.running.get(job_id)
            if running is None or (running.is_listed and not is_changed):
                return False
            running.ask_to_stop(wanted)
            return True

        done = core.change(
            core.queue.of(job_id), lambda connection: ask_to_stop(connection, job_id, wanted), then=stop_here
        )
        return stop_here(True) if done is None else done.value or stop_here(False)
