"""Runs what takes long: a job outlives the screen that asked for it, and always ends with an honest word.

Jobs are kept in memory: they end with the program. What a job is (`JobSpec`) is fixed when it is queued.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from archive_tui.errors import ArchiveError, OperationStopped
from archive_tui.jobs.job import JobRecord, JobResult, JobSnapshot, JobSpec, JobState

Subscriber = Callable[[JobSnapshot], None]


class JobEngine:
    """Owns the threads of all jobs, its own ones, so that listings and hashing elsewhere never wait for a transfer.

    `workers` jobs run at once, the others wait in the order of their submission. All methods may be called from any
    thread. Subscribers are called in the thread that changes a state, outside of every lock, and must not raise.
    """

    def __init__(self, *, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._records: dict[int, JobRecord] = {}
        self._subscribers: list[Subscriber] = []
        self._is_closed = False

    def submit(self, job: JobSpec) -> int:
        """Queues the job and returns its number, counted from 1.

        Raises: RuntimeError after `close`.
        """
        with self._lock:
            if self._is_closed:
                raise RuntimeError("The job engine is closed.")
            record = JobRecord(next(self._ids), job)
            self._records[record.id] = record
        self._tell(record)
        self._pool.submit(self._run, record)
        return record.id

    def cancel(self, job_id: int) -> None:
        """Asks a job to stop. One that waits is cancelled at once; one that runs is `stopping` until its operation
        has ended, and then what it has become. A job that has ended, or an unknown number, is left alone."""
        record = self._records.get(job_id)
        if record is None:
            return
        with self._lock:
            changed = record.request_stop()
        if changed:
            self._tell(record)

    def snapshot(self) -> tuple[JobSnapshot, ...]:
        """Returns all jobs as they stand, in the order of their submission. Cheap: ended jobs are frozen once."""
        with self._lock:
            records = tuple(self._records.values())
        return tuple(record.freeze() for record in records)

    def get(self, job_id: int) -> JobSnapshot | None:
        record = self._records.get(job_id)
        return record.freeze() if record is not None else None

    @property
    def is_busy(self) -> bool:
        """True while any job waits or runs: what a screen asks before it starts a timer."""
        with self._lock:
            return any(not record.state.is_end for record in self._records.values())

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Calls `callback` with the snapshot of a job whenever its state changes; returns what ends that."""
        with self._lock:
            self._subscribers.append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return unsubscribe

    def wait(self, job_ids: Iterable[int] | None = None, timeout: float | None = None) -> bool:
        """Waits until those jobs (None: all there are now) have ended; False when `timeout` seconds were not enough."""
        with self._lock:
            records = [self._records[job_id] for job_id in (self._records if job_ids is None else job_ids)]
        deadline = None if timeout is None else time.monotonic() + timeout
        return all(
            record.ended.wait(None if deadline is None else max(0.0, deadline - time.monotonic())) for record in records
        )

    def close(self, *, wait: bool = True) -> None:
        """Stops every job and takes no more; with `wait` it returns when the last operation has ended."""
        with self._lock:
            self._is_closed = True
            job_ids = tuple(self._records)
        for job_id in job_ids:
            self.cancel(job_id)
        self._pool.shutdown(wait=wait)

    def _tell(self, record: JobRecord) -> None:
        with self._lock:
            subscribers = tuple(self._subscribers)
        snapshot = record.freeze()
        for subscriber in subscribers:
            subscriber(snapshot)

    def _run(self, record: JobRecord) -> None:
        with self._lock:
            if record.state is not JobState.QUEUED:
                return
            record.start()
        self._tell(record)
        result = _run_operation(record)
        with self._lock:
            record.finish(result)
        self._tell(record)
        record.ended.set()


def _run_operation(record: JobRecord) -> JobResult:
    try:
        return record.spec.run(record.handle, record.stop)
    except OperationStopped as error:
        if record.stop.is_set():
            return JobResult(JobState.CANCELLED, error.message)
        return JobResult(JobState.FAILED, error.message, hint=error.hint, code=error.code)
    except ArchiveError as error:
        findings = getattr(getattr(error, "report", None), "findings", ())
        return JobResult(JobState.FAILED, error.message, findings=findings, hint=error.hint, code=error.code)
    except Exception as error:  # noqa: BLE001  (the boundary of a thread: an error nobody foresaw must be seen, not lost)
        text = f"{type(error).__name__}: {error}"
        return JobResult(
            JobState.FAILED, text, hint="This is a defect of the program: please report it.", code="defect"
        )
