"""What people ask of jobs that are there: to pause, to go on, to be cancelled, to come earlier or later."""

from __future__ import annotations

import sqlite3

from archive_tui.jobs.queue.transitions import append_log, enter_state, read_state
from archive_tui.jobs.states import JobState

_STRENGTH = {JobState.QUEUED.value: 0, JobState.PAUSED.value: 1, JobState.CANCELLED.value: 2}
_RESTING = (JobState.QUEUED, JobState.PAUSED, JobState.WAITING, JobState.UNDECIDED)
_WORDS = {JobState.PAUSED: "Asked to pause.", JobState.CANCELLED: "Asked to cancel.", JobState.QUEUED: "Asked to stop."}
CANCELLED_BEFORE = "Cancelled before it began; nothing was done."
CANCELLED_LATER = "Cancelled. What it had finished stays."


def ask_to_stop(connection: sqlite3.Connection, job_id: int, wanted: JobState) -> bool:
    """Asks for PAUSED, CANCELLED, or QUEUED (to let go of it): at once when nobody runs the job, otherwise its worker
    has to see it. Returns True when that changed anything."""
    state = read_state(connection, job_id)
    if state is None or state.is_end or state is wanted:
        return False
    if state is JobState.RUNNING:
        enter_state(connection, job_id, JobState.STOPPING, _WORDS[wanted], wish=wanted.value)
        return True
    if state is JobState.STOPPING:
        return _strengthen(connection, job_id, wanted)
    if wanted is JobState.CANCELLED:
        attempt = connection.execute("SELECT attempt FROM job WHERE id = ?", (job_id,)).fetchone()[0]
        text = CANCELLED_LATER if attempt else CANCELLED_BEFORE
        enter_state(connection, job_id, wanted, text, message=text)
        return True
    if wanted is JobState.PAUSED:
        enter_state(connection, job_id, wanted, "Paused.")
        return True
    return False


def ask_to_go_on(connection: sqlite3.Connection, job_id: int, log: str = "Asked to go on.") -> bool:
    """Queues a job again that rests or has not succeeded; returns True when that changed anything."""
    state = read_state(connection, job_id)
    if state is JobState.STOPPING:
        return _change_wish_to_go_on(connection, job_id)
    if state is None or state is JobState.QUEUED or state.is_running:
        return False
    if state in (JobState.VERIFIED, JobState.COPIED, JobState.FINISHED):
        return False
    # Who retries what has ended gives it its whole time again; a pause does not stop the clock for good.
    spent = {"spent": 0.0} if state.is_end else {}
    enter_state(connection, job_id, JobState.QUEUED, log, retries=0, message="", **spent)
    return True


def move_job(connection: sqlite3.Connection, job_id: int, *, up: bool) -> bool:
    """Changes places with the neighbour among the jobs that nobody runs; False at the ends."""
    states = ", ".join(f"'{state.value}'" for state in _RESTING)
    order, sign = ("DESC", "<") if up else ("ASC", ">")
    own = connection.execute(f"SELECT position FROM job WHERE id = ? AND state IN ({states})", (job_id,)).fetchone()
    if own is None:
        return False
    other = connection.execute(
        f"""SELECT id, position FROM job WHERE state IN ({states}) AND position {sign} ?
            ORDER BY position {order} LIMIT 1""",
        own,
    ).fetchone()
    if other is None:
        return False
    connection.execute("UPDATE job SET position = ? WHERE id = ?", (other[1], job_id))
    connection.execute("UPDATE job SET position = ? WHERE id = ?", (own[0], other[0]))
    return True


def _strengthen(connection: sqlite3.Connection, job_id: int, wanted: JobState) -> bool:
    row = connection.execute("SELECT wish FROM job WHERE id = ?", (job_id,)).fetchone()
    if row[0] is not None and _STRENGTH[row[0]] >= _STRENGTH[wanted.value]:
        return False
    connection.execute("UPDATE job SET wish = ? WHERE id = ?", (wanted.value, job_id))
    append_log(connection, job_id, _WORDS[wanted])
    return True


def _change_wish_to_go_on(connection: sqlite3.Connection, job_id: int) -> bool:
    """A job that is stopping for a pause goes on as soon as it has stopped. One that is being cancelled is not held."""
    changed = connection.execute(
        "UPDATE job SET wish = ? WHERE id = ? AND wish = ?", (JobState.QUEUED.value, job_id, JobState.PAUSED.value)
    ).rowcount
    if changed:
        append_log(connection, job_id, "Asked to go on as soon as it has stopped.")
    return bool(changed)
