"""Writes down how running jobs stand, a few times a second, and reads what is asked of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable

from archive_tui.jobs.job import FailedItem, LogLine
from archive_tui.jobs.queue.endings import is_owner
from archive_tui.jobs.queue.job_rows import progress_text, write_failed_items, write_progress_text
from archive_tui.jobs.queue.transitions import append_log
from archive_tui.jobs.running.running_job import ProgressMark, RunningJob
from archive_tui.jobs.states import JobState

STILL_SECONDS = 1.0
"""Between two writings of figures that stand still: the time that it took goes on."""


class RunNews:
    """What is new of one running job, taken from it to be written. `put_back` when that failed."""

    def __init__(self, running: RunningJob) -> None:
        self._running = running
        self._log: list[LogLine]
        self._failed: list[FailedItem]
        self._log, self._failed = running.take_news()
        phases, now = running.freeze().phases, time.monotonic()
        self._text = progress_text(phases, running.failed_count, running.seconds)
        self._mark = ProgressMark(
            now, tuple((each.phase, each.bytes_done, each.items_done, each.ended) for each in phases)
        )

    @property
    def is_empty(self) -> bool:
        """True while the figures stand still, and were written less than a second ago."""
        written = self._running.written
        is_same = written.figures == self._mark.figures and self._mark.at - written.at < STILL_SECONDS
        return is_same and not (self._log or self._failed)

    def write(self, connection: sqlite3.Connection) -> None:
        job_id = self._running.job.id
        write_progress_text(connection, job_id, self._text)
        write_failed_items(connection, job_id, self._failed)
        for line in self._log:
            append_log(connection, job_id, line.text, line.at)

    def is_written(self) -> None:
        self._running.written = self._mark

    def put_back(self) -> None:
        self._running.put_back(self._log, self._failed)


def write_progress(running: RunningJob, worker_id: str) -> None:
    """Writes what is new, without waiting for the disk. What cannot be written stays for the next time."""
    news = RunNews(running)
    if news.is_empty:
        return
    done = running.database.transact(
        lambda connection: news.write(connection) if is_owner(connection, running.job, worker_id) else None
    )
    if done is None:
        news.put_back()
    else:
        news.is_written()


def read_wishes(running: Iterable[RunningJob], worker_id: str) -> None:
    """Hands on to running jobs what was asked of them in the database. A job that belongs to another worker by now is
    stopped; one whose file is gone, or was begun anew, goes on and knows it."""
    for job in running:
        row = job.database.read(
            lambda connection, job_id=job.job.id: connection.execute(  # type: ignore[misc]
                "SELECT nonce, owner, wish FROM job WHERE id = ?", (job_id,)
            ).fetchone(),
            None,
        )
        job.is_listed = row is not None and row[0] == job.job.nonce
        if not job.is_listed:
            continue
        if row[1] != worker_id:
            job.lose()
        elif row[2] is not None:
            job.ask_to_stop(JobState(row[2]))
