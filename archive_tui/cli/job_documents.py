"""A job for people, in words, and for programs, as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.times import iso_time
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_span

if TYPE_CHECKING:
    from archive_tui.jobs.job import JobSnapshot, Question
    from archive_tui.jobs.progress_meter import PhaseProgress

_STATUS_OF_STATE = {
    JobState.VERIFIED: ExitStatus.CLEAN,
    JobState.COPIED: ExitStatus.CLEAN,
    JobState.FINISHED: ExitStatus.CLEAN,
    JobState.CANCELLED: ExitStatus.STOPPED,
    JobState.PAUSED: ExitStatus.STOPPED,
}

_JUDGING = ("verify-version", "verify-folder", "verify-contents", "check-manifest", "ask-vault")
_SAYS_NOTHING = ("storage-unavailable", "access-denied", "source-unreadable", "no-credentials", "expired-credentials")


def status_of_job(job: JobSnapshot) -> ExitStatus:
    """Returns the exit status that tells how a job has ended, or why nobody waits for it any longer."""
    verdict = getattr(job.result, "verdict", None)
    if job.state is JobState.FINDINGS and verdict == "inconclusive":
        return ExitStatus.INCONCLUSIVE
    if job.state is JobState.FAILED and job.kind in _JUDGING and job.code in _SAYS_NOTHING:
        return ExitStatus.INCONCLUSIVE
    return _STATUS_OF_STATE.get(job.state, ExitStatus.FINDINGS)


def describe_state(job: JobSnapshot) -> str:
    """Returns the honest word: what it does, or waits for, at this moment."""
    if job.state is JobState.STOPPING and job.stopping_for is not None:
        return {JobState.PAUSED: "pausing", JobState.CANCELLED: "cancelling"}.get(job.stopping_for, "stopping")
    if job.state is JobState.UNDECIDED and job.questions:
        return f"needs {job.questions:,} decision{'s' if job.questions != 1 else ''}"
    return str(job.state)


def describe_end(job: JobSnapshot) -> str:
    """Returns the word and the sentence of a job, which mostly begins with that word."""
    word = describe_state(job)
    if job.message in ("", "Stopped."):
        return f"{word}."
    is_said = job.state is JobState.UNDECIDED or job.message.lower().startswith(word)
    return job.message if is_said else f"{word}. {job.message}"


def describe_when(job: JobSnapshot) -> str:
    """Returns what a reader of a list asks next: how long a running job still takes, when a waiting one is tried again,
    when another one has ended."""
    phase = job.current_phase
    if job.state.is_running:
        return f"{format_span(phase.eta)} left" if phase is not None and phase.eta is not None else ""
    if job.state is JobState.WAITING and job.retry_in is not None:
        return f"in {format_span(job.retry_in)}"
    return ""


def describe_share(job: JobSnapshot) -> str:
    """Returns `78 %` of the phase that it is in, or was in when it stopped; nothing where that cannot be known."""
    phase = job.current_phase
    is_over = job.state.is_end or job.state is JobState.UNDECIDED
    if is_over or phase is None or phase.fraction is None:
        return ""
    return f"{int(100 * phase.fraction)} %"


def job_document(job: JobSnapshot) -> dict[str, Any]:
    """Returns a job for `--json`; sizes in bytes, times in UTC."""
    return {
        "job": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": str(job.state),
        "stopping_for": str(job.stopping_for) if job.stopping_for is not None else None,
        "owner": job.owner or None,
        "source": job.source,
        "destination": job.destination,
        "command": job.command or None,
        "attempt": job.attempt,
        "queued": iso_time(job.queued_at),
        "started": iso_time(job.started_at),
        "ended": iso_time(job.ended_at),
        "seconds": round(job.ran_seconds, 3),
        "retry_in": round(job.retry_in, 1) if job.retry_in is not None else None,
        "questions": job.questions,
        "failed_items": job.failed_count,
        "message": job.message,
        "hint": job.hint,
        "code": job.code,
        "policy": {**asdict(job.policy), "conflicts": str(job.policy.conflicts)},
        "phases": [_phase_document(phase) for phase in job.phases],
    }


def _phase_document(phase: PhaseProgress) -> dict[str, Any]:
    return {
        "phase": phase.phase,
        "bytes_done": phase.bytes_done,
        "bytes_total": phase.bytes_total,
        "items_done": phase.items_done,
        "items_total": phase.items_total,
        "failed_items": phase.failed_items,
        "rate": round(phase.rate) if phase.rate is not None else None,
        "seconds_left": round(phase.eta, 1) if phase.eta is not None else None,
        "ended": phase.ended,
    }


def question_document(question: Question) -> dict[str, Any]:
    """Returns a question for `--json`."""
    conflict = question.conflict
    return {
        "item": conflict.item,
        "place": conflict.place,
        "found": conflict.found,
        "wanted": conflict.wanted,
        "choices": [str(rule) for rule in conflict.choices],
        "asked": iso_time(question.asked_at),
        "answer": str(question.answer) if question.answer is not None else None,
    }
