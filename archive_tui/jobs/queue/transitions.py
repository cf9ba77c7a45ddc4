"""The one place where a job changes its state in the database: no other way than the table of transitions allows."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from archive_tui.jobs.job import LOG_LENGTH
from archive_tui.jobs.queue.texts import to_text
from archive_tui.jobs.states import TRANSITIONS, JobState


class ForbiddenTransition(Exception):
    """A defect: the program tried to do what TRANSITIONS does not allow. Nothing has changed."""


def read_state(connection: sqlite3.Connection, job_id: int) -> JobState | None:
    """Returns None for a job that is not there."""
    row = connection.execute("SELECT state FROM job WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else JobState(row[0])


def enter_state(connection: sqlite3.Connection, job_id: int, state: JobState, log: str = "", **columns: Any) -> None:
    """Changes the state of a job, and other columns with it, inside of a transaction. What belongs to the state before
    (the end, a wait, a wish, a hint) is taken back unless it is given.

    Raises: ForbiddenTransition.
    """
    before = read_state(connection, job_id)
    if before is None or state not in TRANSITIONS[before]:
        raise ForbiddenTransition(f"A job that is {before} cannot become {state}.")
    left = {"hint": "", "code": "", "wish": None, "wait": None, "retry_at": None}
    columns = {"state": state.value, "ended_at": time.time() if state.is_end else None, **left, **columns}
    settings = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"UPDATE job SET {settings} WHERE id = ?", (*columns.values(), job_id))
    if log:
        append_log(connection, job_id, log)


def append_log(connection: sqlite3.Connection, job_id: int, text: str, at: float | None = None) -> None:
    """Adds a line, and drops the oldest ones beyond LOG_LENGTH."""
    moment = time.time() if at is None else at
    connection.execute("INSERT INTO log (job, at, text) VALUES (?, ?, ?)", (job_id, moment, to_text(text)))
    connection.execute(
        """DELETE FROM log
           WHERE job = ?1 AND id <= (SELECT id FROM log WHERE job = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)""",
        (job_id, LOG_LENGTH),
    )
