"""How a job comes into the queue: as a new one, or by taking up the unfinished one that asks for the same."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from dataclasses import dataclass

from archive_tui.jobs.queue.texts import to_json, to_text
from archive_tui.jobs.queue.transitions import append_log
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState

ADOPTED = (JobState.QUEUED, JobState.PAUSED, JobState.WAITING, JobState.FAILED)
"""States of a job that somebody who asks for the same goes on with."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A request as it is written down. `nonce` is unlike that of every other job; `work` is a digest of what is to be
    done."""

    request: JobRequest
    parameters: str
    outlives: bool
    work: str
    nonce: str


def describe_job(request: JobRequest, *, outlives: bool) -> NewJob:
    """Raises: TypeError for parameters that JSON cannot hold."""
    work = hashlib.sha256(to_json([request.kind, request.version, request.parameters]).encode()).hexdigest()
    return NewJob(request, to_json(request.parameters), outlives, work, secrets.token_hex(8))


def insert_job(
    connection: sqlite3.Connection, job: NewJob, *, home: str | None, after: int = 0, number: int | None = None
) -> int:
    """Queues the job last, and returns its number, which is greater than `after`, or `number`, which must be free.
    `home` is the only worker that may run it, None: any."""
    request, now = job.request, time.time()
    if after:
        _count_from(connection, after)
    last = connection.execute("SELECT coalesce(max(position), 0) FROM job").fetchone()[0]
    texts = (request.title, request.source, request.destination, request.command)
    cursor = connection.execute(
        """INSERT INTO job (id, nonce, kind, version, title, source, destination, command, policy, work, outlives,
               state, position, home, queued_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            number, job.nonce, request.kind, request.version, *map(to_text, texts), to_json(request.policy), job.work,
            job.outlives, JobState.QUEUED.value, last + 1.0, home, now,
        ),
    )  # fmt: skip
    job_id = cursor.lastrowid
    assert job_id is not None
    connection.execute("INSERT INTO parameters (job, content) VALUES (?, ?)", (job_id, job.parameters))
    append_log(connection, job_id, "Queued.", now)
    return job_id


def _count_from(connection: sqlite3.Connection, number: int) -> None:
    known = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'job'").fetchone()
    if known is None:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('job', ?)", (number,))
    elif known[0] < number:
        connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'job'", (number,))


def find_same_work(connection: sqlite3.Connection, job: NewJob) -> int | None:
    """Returns the newest unfinished job that asks for the same and that nobody runs."""
    states = ", ".join(f"'{state.value}'" for state in ADOPTED)
    row = connection.execute(
        f"""SELECT id FROM job WHERE work = ? AND owner IS NULL AND home IS NULL AND state IN ({states})
            ORDER BY id DESC LIMIT 1""",
        (job.work,),
    ).fetchone()
    return None if row is None else int(row[0])


def take_up(connection: sqlite3.Connection, job_id: int, job: NewJob) -> None:
    """Has an unfinished job go on under the words and the policy of the one who asks now."""
    connection.execute(
        "UPDATE job SET policy = ?, command = ?, title = ? WHERE id = ?",
        (to_json(job.request.policy), to_text(job.request.command), to_text(job.request.title), job_id),
    )
