"""What a user can do with a job in the state in which it is. Pure."""

from __future__ import annotations

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.states import JobState

_PAUSED_BY_KEY = (JobState.QUEUED, JobState.RUNNING, JobState.WAITING)
_TRIED_AGAIN = (JobState.FAILED, JobState.CANCELLED, JobState.FINDINGS, JobState.WAITING)
_IN_QUEUE = (JobState.QUEUED, JobState.PAUSED, JobState.WAITING, JobState.UNDECIDED)


def find_choices(job: JobSnapshot | None) -> frozenset[str]:
    """Of `pause`, `resume`, `cancel`, `retry`, `decide`, `move`, `receipt`, `copy`; none without a job."""
    if job is None:
        return frozenset()
    possible = {
        "pause": job.state in _PAUSED_BY_KEY,
        "resume": job.state is JobState.PAUSED or job.stopping_for is JobState.PAUSED,
        "cancel": not job.state.is_end and job.stopping_for is not JobState.CANCELLED,
        "retry": job.state in _TRIED_AGAIN,
        "decide": job.questions > 0 and not job.state.is_end,
        "move": job.state in _IN_QUEUE,
        "receipt": job.state.is_end,
        "copy": bool(job.command),
    }
    return frozenset(word for word, is_possible in possible.items() if is_possible)


def has_work_to_lose(job: JobSnapshot) -> bool:
    """True when a cancelled job would forget what it has done so far."""
    return job.attempt > 0 or job.state.is_running
