"""A running job comes into a list that was begun anew: the file was removed, or damaged, while its work went on."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.queue.claiming import ClaimedJob, claim_job
from archive_tui.jobs.queue.submitting import describe_job, insert_job
from archive_tui.jobs.queue.transitions import append_log, read_state
from archive_tui.jobs.queue.workers import WorkerRow
from archive_tui.jobs.request import JobRequest

LISTED_AGAIN = "The list of jobs was begun anew; what was written down of this one before is gone."


def list_again(connection: sqlite3.Connection, worker: WorkerRow, job: ClaimedJob, known: JobSnapshot) -> bool:
    """Writes down a job that the worker is running, under the number that it has; False when another job has that."""
    if read_state(connection, job.id) is not None:
        return False
    request = JobRequest(
        job.kind, known.title, known.source, known.destination, known.command,
        parameters=job.parameters, policy=job.policy, version=job.version,
    )  # fmt: skip
    described = replace(describe_job(request, outlives=job.outlives), nonce=job.nonce)
    insert_job(connection, described, home=worker.id, number=job.id)
    rule = job.rule_for_all.value if job.rule_for_all is not None else None
    connection.execute(
        """UPDATE job SET attempt = ?, retries = ?, spent = ?, ran_seconds = ?, queued_at = ?, rule_for_all = ?
           WHERE id = ?""",
        (job.attempt - 1, job.retries, job.spent, known.ran_seconds, known.queued_at, rule, job.id),
    )
    append_log(connection, job.id, LISTED_AGAIN)
    is_ours = claim_job(connection, worker, job.id) is not None
    connection.execute("UPDATE job SET started_at = ? WHERE id = ?", (known.started_at, job.id))
    return is_ours
