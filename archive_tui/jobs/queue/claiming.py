"""Who runs a job: one worker at a time. A job whose worker is gone is let go by whoever notices."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.queue.transitions import enter_state
from archive_tui.jobs.queue.workers import WorkerRow
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState

WORKER_GONE = "The program that ran this job is gone."
UNREADABLE = "What is written down of this job cannot be understood; nothing was done."
UNREADABLE_HINT = "Begin it anew, or retry it with the release that queued it."


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that a worker owns now. `spent` are seconds that it ran before, since a person asked for it; `retries` how
    often it was tried again by itself. `earlier` is how far the run before had come: bytes and items, by phase."""

    id: int
    nonce: str
    kind: str
    version: int
    parameters: Mapping[str, Any]
    policy: JobPolicy
    outlives: bool
    attempt: int
    retries: int
    spent: float
    rule_for_all: ConflictRule | None
    earlier: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def read_policy(text: str) -> JobPolicy:
    known = json.loads(text)
    return JobPolicy(
        ConflictRule(known["conflicts"]), int(known["retries"]), known.get("bandwidth"), known.get("deadline")
    )


def show_policy(text: str) -> JobPolicy:
    """Returns the policy of a job that is only looked at: one that cannot be understood must not hide the others."""
    try:
        return read_policy(text)
    except (ValueError, KeyError, TypeError):
        return JobPolicy()


def read_parameters(connection: sqlite3.Connection, job_id: int) -> Mapping[str, Any]:
    row = connection.execute("SELECT content FROM parameters WHERE job = ?", (job_id,)).fetchone()
    parameters: Mapping[str, Any] = json.loads(row[0]) if row is not None else {}
    return parameters


def claim_next(
    connection: sqlite3.Connection,
    worker_id: str,
    worker: Callable[[], WorkerRow],
    has_room: Callable[[Mapping[str, Any]], bool] | None,
    taken: Container[int] = (),
) -> ClaimedJob | None:
    """Makes the worker the owner of the first queued job that it may run; None: there is none. `worker_id` may be
    empty as long as the worker owns nothing; `taken` are numbers that it knows from a file that was begun anew."""
    rows = connection.execute(
        "SELECT id FROM job WHERE state = ? AND owner IS NULL AND (home IS NULL OR home = ?) ORDER BY position, id",
        (JobState.QUEUED.value, worker_id),
    )
    for (job_id,) in rows.fetchall():
        if job_id in taken:
            continue
        if has_room is None or _has_room(connection, job_id, has_room):
            claimed = claim_job(connection, worker(), job_id)
            if claimed is not None:
                return claimed
    return None


def _has_room(connection: sqlite3.Connection, job_id: int, has_room: Callable[[Mapping[str, Any]], bool]) -> bool:
    try:
        parameters = read_parameters(connection, job_id)
    except ValueError:
        return True  # `claim_job` says what is wrong with it
    return has_room(parameters)


def claim_job(connection: sqlite3.Connection, worker: WorkerRow, job_id: int) -> ClaimedJob | None:
    """Makes the worker the owner of a queued job; None when it is not queued, or another's. One that cannot be
    understood fails instead: it must not keep the queue from the others."""
    row = connection.execute(
        """SELECT nonce, kind, version, policy, outlives, attempt, retries, spent, rule_for_all FROM job
           WHERE id = ? AND state = ? AND owner IS NULL AND (home IS NULL OR home = ?)""",
        (job_id, JobState.QUEUED.value, worker.id),
    ).fetchone()
    if row is None:
        return None
    nonce, kind, version, policy, outlives, attempt, retries, spent, rule = row
    now, number = time.time(), attempt + 1
    try:
        claimed = ClaimedJob(
            job_id, nonce, kind, version, read_parameters(connection, job_id), read_policy(policy), bool(outlives),
            number, retries, spent, ConflictRule(rule) if rule else None, _figures_seen(connection, job_id),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        words = {"message": UNREADABLE, "hint": UNREADABLE_HINT, "code": "job-unreadable"}
        enter_state(connection, job_id, JobState.FAILED, UNREADABLE, **words)
        return None
    insert_worker(connection, worker)
    enter_state(
        connection, job_id, JobState.RUNNING, "Started." if number == 1 else f"Started again: attempt {number}.",
        owner=worker.id, attempt=number, started_at=now, message="",
    )  # fmt: skip
    connection.execute(
        "INSERT INTO attempt (job, number, worker, started_at) VALUES (?, ?, ?, ?)",
        (job_id, number, worker.description, now),
    )
    for table in ("progress", "failed_item", "outcome"):
        connection.execute(f"DELETE FROM {table} WHERE job = ?", (job_id,))
    return claimed


def insert_worker(connection: sqlite3.Connection, worker: WorkerRow) -> None:
    connection.execute(
        """INSERT INTO worker (id, host, boot, is_locked, description) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (id) DO NOTHING""",
        (worker.id, worker.host, worker.boot, worker.is_locked, worker.description),
    )


def read_worker(connection: sqlite3.Connection, worker_id: str) -> WorkerRow | None:
    row = connection.execute(
        "SELECT id, host, boot, is_locked, description, beat FROM worker WHERE id = ?", (worker_id,)
    ).fetchone()
    return None if row is None else WorkerRow(row[0], row[1], row[2], bool(row[3]), row[4], row[5])


def other_workers(connection: sqlite3.Connection, own: str) -> set[str]:
    """Returns the workers that the jobs belong to, and those that are written down."""
    rows = connection.execute(
        """SELECT owner FROM job WHERE owner IS NOT NULL UNION SELECT home FROM job WHERE home IS NOT NULL
           UNION SELECT id FROM worker"""
    )
    return {worker_id for (worker_id,) in rows if worker_id != own}


def release_worker(connection: sqlite3.Connection, worker_id: str, reason: str = WORKER_GONE) -> list[int]:
    """Lets go of all jobs of a worker that is gone; returns which have changed their state."""
    changed = []
    rows = connection.execute("SELECT id, state, wish, outlives FROM job WHERE owner = ?", (worker_id,)).fetchall()
    for job_id, state, wish, outlives in rows:
        release_job(connection, job_id, state=JobState(state), wish=wish, outlives=bool(outlives), reason=reason)
        changed.append(job_id)
    changed += _release_waiting(connection, worker_id, reason)
    connection.execute("DELETE FROM worker WHERE id = ?", (worker_id,))
    return changed


def release_job(
    connection: sqlite3.Connection, job_id: int, *, state: JobState, wish: str | None, outlives: bool, reason: str
) -> None:
    """Lets go of a job that a worker was running: it becomes what it was asked to, or is queued again."""
    wanted = JobState(wish) if wish else JobState.QUEUED
    if not outlives:
        wanted = JobState.CANCELLED
    if state is JobState.RUNNING and wanted is not JobState.QUEUED:
        enter_state(connection, job_id, JobState.STOPPING)
    words = {JobState.CANCELLED: "It is cancelled", JobState.PAUSED: "It is paused"}.get(wanted, "It is queued again")
    text = f"{reason} {words}."
    message = text if wanted is JobState.CANCELLED else ""
    enter_state(connection, job_id, wanted, text, owner=None, home=None, message=message)
    connection.execute("UPDATE attempt SET outcome = ? WHERE job = ? AND outcome = ''", (reason, job_id))
    seconds = _seconds_seen(connection, job_id)
    connection.execute(
        "UPDATE job SET ran_seconds = ran_seconds + ?1, spent = spent + ?1 WHERE id = ?2", (seconds, job_id)
    )


def _seconds_seen(connection: sqlite3.Connection, job_id: int) -> float:
    """How long the run had taken when its worker wrote for the last time."""
    row = connection.execute("SELECT content FROM progress WHERE job = ?", (job_id,)).fetchone()
    return float(json.loads(row[0]).get("seconds", 0.0)) if row is not None else 0.0


def _figures_seen(connection: sqlite3.Connection, job_id: int) -> dict[str, tuple[int, int]]:
    """How far each phase had come when a worker wrote for the last time."""
    row = connection.execute("SELECT content FROM progress WHERE job = ?", (job_id,)).fetchone()
    try:
        phases = json.loads(row[0])["phases"] if row is not None else ()
        return {phase["phase"]: (int(phase["bytes_done"]), int(phase["items_done"])) for phase in phases}
    except (ValueError, KeyError, TypeError):
        return {}  # figures are not worth failing for


def _release_waiting(connection: sqlite3.Connection, worker_id: str, reason: str) -> list[int]:
    """Jobs that only this worker may run, and that are not running."""
    changed = []
    rows = connection.execute(
        "SELECT id, state, outlives FROM job WHERE home = ? AND owner IS NULL", (worker_id,)
    ).fetchall()
    for job_id, state, outlives in rows:
        if not outlives and not JobState(state).is_end:
            text = f"{reason} Nobody waits for it any more."
            enter_state(connection, job_id, JobState.CANCELLED, text, message=text)
            changed.append(job_id)
    connection.execute("UPDATE job SET home = NULL WHERE home = ? AND owner IS NULL", (worker_id,))
    return changed


def has_jobs(connection: sqlite3.Connection, worker_id: str) -> bool:
    """True while jobs belong to the worker, or may be run by nobody else."""
    row = connection.execute(
        "SELECT 1 FROM job WHERE owner = ?1 OR (home = ?1 AND ended_at IS NULL) LIMIT 1", (worker_id,)
    ).fetchone()
    return row is not None


def bump_beats(connection: sqlite3.Connection, worker_ids: Iterable[str]) -> None:
    """Shows observers that these workers are alive."""
    connection.executemany("UPDATE worker SET beat = beat + 1 WHERE id = ?", [(each,) for each in worker_ids])
