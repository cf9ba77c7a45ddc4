"""How a job looks from outside at one moment, whichever process runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.integrity.report import Finding
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState

LOG_LENGTH = 500
"""Lines of a job's log that are kept, the newest ones."""

FAILED_ITEMS_SHOWN = 1000
"""Items with a finding that are kept while a job runs; its result holds all of them."""


@dataclass(frozen=True, slots=True)
class FailedItem:
    """An item with a finding, as it was reported while the job ran; `reason` is a sentence, `position` counts the items
    in the order in which they were finished, from 1."""

    phase: str
    item: str
    reason: str
    position: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at` in seconds since the epoch."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A conflict that somebody has to decide. `answer` None: not yet. `asked_at` in seconds since the epoch."""

    job_id: int
    conflict: Conflict
    asked_at: float
    answer: ConflictRule | None = None


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment; it never changes. Times are seconds since the epoch, None: not yet.

    `failed_items` are the findings as they come, at most FAILED_ITEMS_SHOWN; `findings`, with digests, are there when
    the job has ended. `message` is a sentence once it has ended, or says what it waits for; `hint` and `code` belong to
    a failure. `result` is what the run made (JobResult.value). In a list of all jobs `log`, `findings` and `result` are
    left out of those that this process does not run: `JobEngine.get` has them.

    `owner` names the process that runs it (`pid 4711 on lab`), empty: none does; `is_here`: this one. `stopping_for` is
    what a stopping job was asked to become. `retry_in` are seconds until the next attempt of one that waits; `attempt`
    counts runs from 1. `questions` counts those that nobody has answered. `ran_seconds` is the time of all runs
    together. `position` orders the queue. `is_kept` False: it is in no list on a disk, and ends with this process.
    """

    id: int
    kind: str
    title: str
    source: str
    destination: str
    command: str
    state: JobState
    phases: tuple[PhaseProgress, ...]
    findings: tuple[Finding, ...]
    message: str
    started_at: float | None
    ended_at: float | None
    result: Any
    log: tuple[LogLine, ...]
    failed_items: tuple[FailedItem, ...] = ()
    failed_count: int = 0
    hint: str = ""
    code: str = ""
    queued_at: float = 0.0
    owner: str = ""
    is_here: bool = False
    stopping_for: JobState | None = None
    retry_in: float | None = None
    attempt: int = 0
    questions: int = 0
    ran_seconds: float = 0.0
    position: float = 0.0
    policy: JobPolicy = field(default_factory=JobPolicy)
    is_kept: bool = True

    @property
    def current_phase(self) -> PhaseProgress | None:
        """The newest phase that has not ended, one with known totals before one without; when all have ended, the last
        one; None before the first."""
        running = [phase for phase in self.phases if not phase.ended] or list(self.phases)
        known = [phase for phase in running if phase.fraction is not None]
        return (known or running)[-1] if running else None
