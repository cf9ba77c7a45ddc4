"""Writing down how a run has ended: only its own worker may, and all of it at once."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from dataclasses import dataclass

from archive_tui.integrity.report import Finding
from archive_tui.jobs.queue.claiming import ClaimedJob
from archive_tui.jobs.queue.texts import to_json, to_text
from archive_tui.jobs.queue.transitions import enter_state, read_state
from archive_tui.jobs.running.run_outcome import Circumstances, Decision, RunOutcome, decide
from archive_tui.jobs.states import JobState


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A run as its worker saw it. `seconds` is how long it ran, `asked` the items it left to be decided, `wish` what
    its worker was asked for directly; `wait` seconds before a retry. `stays`: nobody else may run the job meanwhile."""

    outcome: RunOutcome
    seconds: float
    asked: frozenset[str]
    wish: JobState | None
    is_overdue: bool
    wait: float
    stays: bool = False


def is_owner(connection: sqlite3.Connection, job: ClaimedJob, worker_id: str) -> bool:
    """True while the job is still this worker's: every write of an owner asks that first, in its own transaction."""
    row = connection.execute(
        "SELECT 1 FROM job WHERE id = ? AND nonce = ? AND owner = ?", (job.id, job.nonce, worker_id)
    ).fetchone()
    return row is not None


def finish_run(connection: sqlite3.Connection, job: ClaimedJob, end: RunEnd, result: str | None) -> Decision:
    """Lets go of a job that is its worker's, and returns what it has become. `result` is the JSON of what it made."""
    decision = decide(end.outcome, _look_around(connection, job, end))
    words, now = decision.result, time.time()
    is_stopped = decision.states[0] in (JobState.PAUSED, JobState.CANCELLED)
    if is_stopped and read_state(connection, job.id) is JobState.RUNNING:
        enter_state(connection, job.id, JobState.STOPPING)
    for state in decision.states[:-1]:
        enter_state(connection, job.id, state)
    is_waiting = decision.state is JobState.WAITING
    enter_state(
        connection, job.id, decision.state, describe_end(decision, end.wait), owner=None,
        message="" if decision.state is JobState.QUEUED else to_text(words.message),
        hint=to_text(words.hint), code=words.code,
        wait=end.wait if is_waiting else None, retry_at=now + end.wait if is_waiting else None,
        retries=job.retries + is_waiting,
    )  # fmt: skip
    connection.execute(
        "UPDATE job SET ran_seconds = ran_seconds + ?, spent = spent + ? WHERE id = ?",
        (end.seconds, end.seconds, job.id),
    )
    if job.outlives and not (end.stays and is_waiting):
        connection.execute("UPDATE job SET home = NULL WHERE id = ?", (job.id,))
    connection.execute(
        "UPDATE attempt SET ended_at = ?, outcome = ? WHERE job = ? AND number = ?",
        (now, to_text(f"{decision.state}: {words.message}"), job.id, job.attempt),
    )
    _write_outcome(connection, job.id, decision, result)
    return decision


def describe_end(decision: Decision, wait: float) -> str:
    """The line of the log."""
    if decision.state is JobState.WAITING:
        return f"{decision.result.message.rstrip('.')}. It is tried again in {round(wait)} s."
    if decision.state is JobState.PAUSED:
        return "Paused."
    if decision.state is JobState.QUEUED:
        return "Stopped, and queued again."
    return decision.result.message


def _look_around(connection: sqlite3.Connection, job: ClaimedJob, end: RunEnd) -> Circumstances:
    wish = connection.execute("SELECT wish FROM job WHERE id = ?", (job.id,)).fetchone()[0]
    if not end.asked:
        # Conflicts of an earlier run that this one did not meet again are no questions any more.
        connection.execute("DELETE FROM question WHERE job = ? AND answer IS NULL", (job.id,))
    unanswered = connection.execute(
        "SELECT count(*) FROM question WHERE job = ? AND answer IS NULL", (job.id,)
    ).fetchone()[0]
    return Circumstances(
        wish=JobState(wish) if wish else end.wish,
        retries_left=job.policy.retries - job.retries,
        asked=len(end.asked),
        unanswered=unanswered,
        is_overdue=end.is_overdue,
    )


def _write_outcome(connection: sqlite3.Connection, job_id: int, decision: Decision, result: str | None) -> None:
    connection.execute("DELETE FROM outcome WHERE job = ?", (job_id,))
    if decision.state.is_end:
        findings = to_json([_finding_row(finding) for finding in decision.result.findings])
        connection.execute("INSERT INTO outcome (job, findings, result) VALUES (?, ?, ?)", (job_id, findings, result))


def _finding_row(finding: Finding) -> tuple[object, ...]:
    kind, *rest = dataclasses.astuple(finding)
    return (kind.value, *rest)
