"""What went wrong and how a job has ended, in sentences for the status line. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from archive_tui.errors import ArchiveError
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_count

_SAID_BY_REPORT = (JobState.VERIFIED, JobState.FINDINGS, JobState.CANCELLED)
"""States that the sentence of a verification names itself."""

VERIFICATIONS = ("verify-version", "verify-folder", "check-manifest", "verify-contents", "verify-safe")
"""Kinds of jobs whose result says itself what was found."""


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
    is_said = job.state is JobState.FINISHED or (job.kind in VERIFICATIONS and job.state in _SAID_BY_REPORT)
    return join_sentences("" if job.message and is_said else str(job.state), job.message, job.hint)


def describe_left_over(jobs: Iterable[JobSnapshot]) -> str:
    """What is unfinished when the program starts; empty when nothing is."""
    listed = [job for job in jobs if not job.state.is_end]
    elsewhere = sum(job.state.is_running and not job.is_here for job in listed)
    paused = sum(job.state is JobState.PAUSED for job in listed)
    undecided = sum(job.state is JobState.UNDECIDED for job in listed)
    going_on = len(listed) - elsewhere - paused - undecided
    parts = []
    if going_on:
        parts.append(f"{format_count(going_on, 'job')} of last time {'goes' if going_on == 1 else 'go'} on")
    if elsewhere:
        parts.append(f"{format_count(elsewhere, 'job')} {'runs' if elsewhere == 1 else 'run'} in another process")
    if paused:
        parts.append(f"{format_count(paused, 'job')} {'is' if paused == 1 else 'are'} paused")
    if undecided:
        parts.append(f"{format_count(undecided, 'job')} {'needs' if undecided == 1 else 'need'} a decision")
    return f"{', '.join(parts)}: J shows." if parts else ""


def describe_leaving(running: int, waiting: int, lost: int = 0) -> str:
    """The question of somebody who leaves while jobs run here or wait. `lost` of them are kept nowhere."""
    count = running + waiting
    parts = []
    if running:
        parts.append(f"{format_count(running, 'job')} {'runs' if running == 1 else 'run'}")
    if waiting:
        parts.append(f"{waiting if running else format_count(waiting, 'job')} {'waits' if waiting == 1 else 'wait'}")
    if not lost:
        again = "resumes" if count == 1 else "they resume"
        return f"{', '.join(parts)}. s stop ({again} next time) · b go on in background · Esc stay"
    if lost < count:
        gone = f"{lost} {'is' if lost == 1 else 'are'} kept nowhere and {'ends' if lost == 1 else 'end'} now"
        return f"{', '.join(parts)}; {gone}. s stop (rest resumes) · b background · Esc stay"
    all_gone = "It could not be written down and ends" if count == 1 else "They could not be written down and end"
    return f"{', '.join(parts)}. {all_gone} with the program.  s stop and leave · Esc stay"
