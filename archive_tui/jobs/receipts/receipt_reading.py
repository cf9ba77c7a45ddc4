"""Makes the receipt of a job out of what the database holds of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from archive_tui.continuation import ItemMark
from archive_tui.jobs.job import JobSnapshot, Question
from archive_tui.jobs.queue.decisions import read_all_questions
from archive_tui.jobs.queue.marks import are_marks_dropped, count_marks, read_marks_after
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.receipts.receipt import Attempt, Receipt

WINDOW = 1000
"""Items that are read at once, so that others get at the database in between."""


def read_receipt(database: JobDatabase, job: JobSnapshot) -> Receipt:
    """Returns the receipt; its items are read while it is gone through."""
    decisions: list[Question] = database.read(lambda connection: read_all_questions(connection, job.id), [])
    attempts: list[Attempt] = database.read(lambda connection: _read_attempts(connection, job.id), [])
    return Receipt(
        job,
        _iterate_items(database, job.id),
        database.read(lambda connection: count_marks(connection, job.id), 0),
        tuple(attempts),
        tuple(decisions),
        database.read(lambda connection: are_marks_dropped(connection, job.id), False),
    )


def _iterate_items(database: JobDatabase, job_id: int) -> Iterator[tuple[str, ItemMark]]:
    last: tuple[str, str] | None = None
    while True:
        window: list[tuple[str, ItemMark]] = database.read(
            lambda connection, last=last: read_marks_after(connection, job_id, last, WINDOW),  # type: ignore[misc]
            [],
        )
        yield from window
        if len(window) < WINDOW:
            return
        last = (window[-1][0], window[-1][1].item)


def _read_attempts(connection: sqlite3.Connection, job_id: int) -> list[Attempt]:
    rows = connection.execute(
        "SELECT number, started_at, ended_at, worker, outcome FROM attempt WHERE job = ? ORDER BY number", (job_id,)
    )
    return [Attempt(*row) for row in rows]
