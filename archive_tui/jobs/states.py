"""The states of a job, and which may follow which. docs/jobs.md draws them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobState(StrEnum):
    """`verified` is said only when what lies at the destination was proven right; `copied, not verified` when bytes
    were sent and nothing compared; `finished` by a job that claims nothing about an archive, such as a comparison.

    `stopping`: it was asked to pause, to cancel or to let go, and its operation has not ended yet. A job whose process
    is gone is queued again by whoever notices.
    """

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    PAUSED = "paused"
    WAITING = "waiting to retry"
    UNDECIDED = "needs a decision"
    VERIFIED = "verified"
    COPIED = "copied, not verified"
    FINISHED = "finished"
    FINDINGS = "finished with findings"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """True when nothing happens any more, unless somebody retries it."""
        return self in ENDS

    @property
    def is_running(self) -> bool:
        """True while an operation is at work in some process."""
        return self in (JobState.RUNNING, JobState.STOPPING)


_PROVEN_ENDS = frozenset({JobState.VERIFIED, JobState.COPIED, JobState.FINISHED})
_RETRIED_ENDS = frozenset({JobState.FINDINGS, JobState.FAILED, JobState.CANCELLED})
ENDS = _PROVEN_ENDS | _RETRIED_ENDS
_OPERATION_ENDS = (ENDS - {JobState.CANCELLED}) | {JobState.UNDECIDED}

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED, JobState.FAILED}),
        # QUEUED again: its process is gone, or has let go of it.
        JobState.RUNNING: _OPERATION_ENDS | {JobState.STOPPING, JobState.WAITING, JobState.QUEUED},
        # An operation may have finished its work before it saw the stop: then that is what has happened.
        JobState.STOPPING: _OPERATION_ENDS | {JobState.CANCELLED, JobState.PAUSED, JobState.QUEUED},
        JobState.PAUSED: frozenset({JobState.QUEUED, JobState.CANCELLED}),
        JobState.WAITING: frozenset({JobState.QUEUED, JobState.PAUSED, JobState.CANCELLED}),
        JobState.UNDECIDED: frozenset({JobState.QUEUED, JobState.PAUSED, JobState.CANCELLED}),
        **{end: frozenset() for end in _PROVEN_ENDS},
        **{end: frozenset({JobState.QUEUED}) for end in _RETRIED_ENDS},
    }
)
"""Which state may follow which. An end that proved something is followed by none; the others by a retry."""
