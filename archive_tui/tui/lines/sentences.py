"""What went wrong and how a job has ended, in sentences for the status line. Pure functions."""

from __future__ import annotations

from archive_tui.errors import ArchiveError
from archive_tui.jobs.job import JobSnapshot, JobState

_SAID_BY_REPORT = (JobState.VERIFIED, JobState.FINDINGS, JobState.CANCELLED)
"""States that the sentence of a verification names itself."""

_VERIFICATIONS = ("verify", "check")


def join_sentences(*sentences: str) -> str:
    """One after the other, each with its full stop; empty ones are left out."""
    parts = [sentence.strip() for sentence in sentences if sentence.strip()]
    ended = [part if part[-1] in ".!?:;" else f"{part}." for part in parts[:-1]]
    return " ".join([*ended, *parts[-1:]])


def describe_error(error: ArchiveError) -> str:
    """What has happened, and what to do about it."""
    return join_sentences(error.message, error.hint)


def describe_end(job: JobSnapshot) -> str:
    """How a job has ended; with its hint where there is something to do."""
    is_said = job.state is JobState.FINISHED or (job.kind in _VERIFICATIONS and job.state in _SAID_BY_REPORT)
    return join_sentences("" if job.message and is_said else str(job.state), job.message, job.hint)
