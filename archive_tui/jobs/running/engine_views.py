"""What can be seen of the jobs of a user, whichever process runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from archive_tui.continuation import ItemMark
from archive_tui.errors import ConfigurationError
from archive_tui.jobs.job import JobSnapshot, Question
from archive_tui.jobs.queue.decisions import read_questions
from archive_tui.jobs.queue.job_rows import has_unfinished, read_history
from archive_tui.jobs.queue.marks import count_marks, read_marks
from archive_tui.jobs.queue.transitions import read_state
from archive_tui.jobs.running.engine_core import EngineCore
from archive_tui.jobs.states import JobState

if TYPE_CHECKING:
    from archive_tui.jobs.receipts.receipt import Receipt

ENDED_SHOWN = 200
DEAD_SECONDS = 2.0
"""Between two looks whether the owners of jobs are alive."""

_RESTING = (JobState.PAUSED, JobState.UNDECIDED)


class JobViews:
    """The part of a job engine that changes nothing, save that jobs of dead processes are let go of before a look.
    Its methods may be called from any thread."""

    def __init__(self, core: EngineCore, release_dead: Callable[[], None]) -> None:
        self._core = core
        self._release_dead = release_dead
        self._looked_at: float | None = None

    def snapshot(self) -> tuple[JobSnapshot, ...]:
        """Returns all jobs that have not ended and the newest ENDED_SHOWN that have, in the order of their numbers."""
        self._look_once()
        return self._core.list_recent(ENDED_SHOWN)

    def history(self, offset: int = 0, limit: int = ENDED_SHOWN) -> tuple[JobSnapshot, ...]:
        """Returns jobs that have ended, the newest first."""
        found: list[JobSnapshot] = []
        for database in self._core.queue.databases:
            found += database.read(lambda connection: read_history(connection, 0, offset + limit), [])
        found.sort(key=lambda job: (job.ended_at or 0.0, job.id), reverse=True)
        return tuple(found[offset : offset + limit])

    def get(self, job_id: int) -> JobSnapshot | None:
        """Returns a job with its log, findings and result; None: there is none of that number."""
        self._look_once()
        return self._core.get(job_id)

    def marks(
        self,
        job_id: int,
        *,
        phase: str | None = None,
        only_findings: bool = False,
        offset: int = 0,
        limit: int = 1000,
    ) -> list[ItemMark]:
        """Returns what became of single items, in the order of phases and items."""
        self._flush(job_id)
        return self._core.queue.of(job_id).read(
            lambda connection: read_marks(connection, job_id, phase, only_findings, offset, limit), []
        )

    def receipt(self, job_id: int) -> Receipt:
        """Returns what is to be said about a job, whether it has ended or not.

        Raises: ConfigurationError (job-not-found).
        """
        from archive_tui.jobs.receipts.receipt_reading import read_receipt

        job = self.get(job_id)
        if job is None:
            raise ConfigurationError(f"No job has the number {job_id}.", code="job-not-found")
        self._flush(job_id)
        return read_receipt(self._core.queue.of(job_id), job)

    def count_marks(self, job_id: int) -> int:
        """Returns of how many items it is written down what became of them."""
        return self._core.queue.of(job_id).read(lambda connection: count_marks(connection, job_id), 0)

    @property
    def is_busy(self) -> bool:
        """True while any job of any process runs, or will by itself."""
        return bool(self._core.unwritten) or any(
            database.read(has_unfinished, False) for database in self._core.queue.databases
        )

    @property
    def is_busy_here(self) -> bool:
        """True while a job runs in this process."""
        with self._core.lock:
            return bool(self._core.running)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the state of the queue, oldest first; each sentence once."""
        return self._core.remarks

    def wait(self, job_ids: Iterable[int] | None = None, timeout: float | None = None) -> bool:
        """Waits until those jobs (None: all there are now) have ended, or rest until somebody does something; False
        when `timeout` seconds were not enough."""
        wanted = [job.id for job in self.snapshot()] if job_ids is None else list(job_ids)
        deadline = None if timeout is None else time.monotonic() + timeout
        condition = self._core.news.changed
        while not all(self._is_at_rest(job_id) for job_id in wanted):
            left = 0.5 if deadline is None else min(0.5, deadline - time.monotonic())
            if left <= 0:
                return False
            with condition:
                condition.wait(left)
        return True

    def questions(self, job_id: int | None = None) -> tuple[Question, ...]:
        """Returns what nobody has decided yet, of one job or of all."""
        databases = self._core.queue.databases if job_id is None else (self._core.queue.of(job_id),)
        found: list[Question] = []
        for database in databases:
            found += database.read(lambda connection: read_questions(connection, job_id), [])
        return tuple(found)

    def _flush(self, job_id: int) -> None:
        """What a run of this process has not written yet counts, too."""
        with self._core.lock:
            running = self._core.running.get(job_id)
        if running is not None:
            running.journal.flush()

    def _is_at_rest(self, job_id: int) -> bool:
        with self._core.lock:
            if job_id in self._core.running:
                return False
            if job_id in self._core.unwritten:
                return True
        state = self._core.queue.of(job_id).read(lambda connection: read_state(connection, job_id), None)
        return state is None or state.is_end or state in _RESTING

    def _look_once(self) -> None:
        """Whoever only looks sees jobs of dead processes as what they are, too, however long it looks."""
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= DEAD_SECONDS:
            self._looked_at = now
            self._release_dead()
