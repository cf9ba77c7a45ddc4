"""The changing side of a job that this process runs: it holds whatever happens to the database."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from dataclasses import dataclass

from archive_tui.jobs.job import FAILED_ITEMS_SHOWN, LOG_LENGTH, FailedItem, JobSnapshot, LogLine
from archive_tui.jobs.progress_meter import ProgressMeter
from archive_tui.jobs.queue.claiming import ClaimedJob
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.running.journal import JobJournal
from archive_tui.jobs.states import JobState
from archive_tui.progress import Event, ItemFailed, Notice, Report, StopSignal, ignore, never

_STRENGTH = {JobState.QUEUED: 0, JobState.PAUSED: 1, JobState.CANCELLED: 2}


@dataclass(frozen=True, slots=True)
class ProgressMark:
    """How far the progress of a run is written down; `at` by the monotonic clock."""

    at: float = float("-inf")
    figures: tuple[tuple[str, int, int, bool], ...] = ()


class RunningJob:
    """Events may come from several threads. `caller_stop` belongs to somebody who waits for the run; when it is what
    stopped the job, the job is paused. `has_lost`: the job belongs to another worker by now; `is_orphan`: it was not in
    the database any more when it had ended, for that was begun anew. `is_listed` False: so it looks while it runs."""

    def __init__(
        self,
        job: ClaimedJob,
        snapshot: JobSnapshot,
        database: JobDatabase,
        worker_id: str,
        *,
        report: Report = ignore,
        caller_stop: StopSignal = never,
    ) -> None:
        self.job = job
        self.database = database
        self.journal = JobJournal(database, job, worker_id)
        self.has_lost = False
        self.is_orphan = False
        self.is_listed = True
        self.is_overdue = False
        self.is_stop_written = False
        self.asked: set[str] = set()
        self.written = ProgressMark()
        self._snapshot = snapshot
        self._report = report
        self._caller_stop = caller_stop
        self._stop = threading.Event()
        self._wish: JobState | None = None
        self._meter = ProgressMeter(earlier=job.earlier)
        self._lock = threading.Lock()
        self._log: deque[LogLine] = deque(snapshot.log, maxlen=LOG_LENGTH)
        self._new_log: list[LogLine] = []
        self._failed: list[FailedItem] = []
        self._new_failed: list[FailedItem] = []
        self._failed_count = 0
        self._begun = time.monotonic()

    def is_set(self) -> bool:
        """The stop signal of the operation."""
        return self._stop.is_set() or self._caller_stop.is_set()

    def ask_to_stop(self, wish: JobState | None) -> None:
        """None: without a wish, because the time is up or the job is lost."""
        with self._lock:
            if wish is not None and (self._wish is None or _STRENGTH[wish] >= _STRENGTH[self._wish]):
                self._wish = wish
        self._stop.set()

    @property
    def wish(self) -> JobState | None:
        """What the job is to become when it has stopped; None: nobody asked."""
        if self._wish is None and self._caller_stop.is_set():
            return JobState.PAUSED
        return self._wish

    @property
    def is_asked_by_caller(self) -> bool:
        """True when only whoever waits for the run has asked it to stop."""
        return self._wish is None and self._caller_stop.is_set()

    @property
    def begun_as(self) -> JobSnapshot:
        """The job as it was when this run began."""
        return self._snapshot

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    @property
    def failed_count(self) -> int:
        return self._failed_count

    def report(self, event: Event) -> None:
        """The `report` of the operation."""
        self._meter(event)
        if isinstance(event, Notice):
            self.write_log(event.text)
        elif isinstance(event, ItemFailed):
            with self._lock:
                self._failed_count += 1
                if len(self._failed) < FAILED_ITEMS_SHOWN:
                    item = FailedItem(event.phase, event.item, event.reason, event.items_total)
                    self._failed.append(item)
                    self._new_failed.append(item)
        self._report(event)

    def write_log(self, text: str) -> None:
        with self._lock:
            line = LogLine(time.time(), text)
            self._log.append(line)
            self._new_log = [*self._new_log[1 - LOG_LENGTH :], line]

    def lose(self) -> None:
        """Called when the database does not know the job as ours: it is another's, or the file is another one."""
        job = self.job
        row = self.database.read(
            lambda connection: connection.execute("SELECT nonce FROM job WHERE id = ?", (job.id,)).fetchone(), None
        )
        self.is_orphan = row is None or row[0] != job.nonce
        self.has_lost = not self.is_orphan
        if self.has_lost:
            self.ask_to_stop(None)

    def take_news(self) -> tuple[list[LogLine], list[FailedItem]]:
        """Returns what has come since the last time, to be written."""
        with self._lock:
            news = self._new_log, self._new_failed
            self._new_log, self._new_failed = [], []
        return news

    def put_back(self, log: list[LogLine], failed: list[FailedItem]) -> None:
        """What could not be written."""
        with self._lock:
            self._new_log = (log + self._new_log)[-LOG_LENGTH:]
            self._new_failed = failed + self._new_failed

    def check_deadline(self) -> None:
        """Stops the run when the time that the policy gives is up; it counts over all attempts."""
        deadline = self.job.policy.deadline
        if deadline is not None and self.job.spent + self.seconds >= deadline:
            self.is_overdue = True
            self.ask_to_stop(None)

    def freeze(self, known: JobSnapshot | None = None) -> JobSnapshot:
        """Returns the job as it stands now. `known` is what the database says of it, None: as when the run began."""
        base = known if known is not None else self._snapshot
        with self._lock:
            log, failed, count = tuple(self._log), tuple(self._failed), self._failed_count
        wish = self.wish or base.stopping_for
        return dataclasses.replace(
            base,
            state=JobState.RUNNING if wish is None else JobState.STOPPING,
            stopping_for=wish,
            phases=self._meter.snapshot(),
            log=log,
            failed_items=failed,
            failed_count=count,
            ran_seconds=self._snapshot.ran_seconds + self.seconds,
            is_here=True,
            is_kept=base.is_kept and self.is_listed,
        )
