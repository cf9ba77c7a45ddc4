"""What a job is, which states it passes, and how it looks from outside at one moment."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from archive_tui.integrity.report import Finding
from archive_tui.jobs.progress_meter import PhaseProgress, ProgressMeter
from archive_tui.progress import Event, ItemFailed, Notice, Report, StopSignal

LOG_LENGTH = 500
"""Lines of a job's log that are kept, the newest ones."""

FAILED_ITEMS_SHOWN = 1000
"""Items with a finding that are kept while a job runs; its result holds all of them."""


class JobState(StrEnum):
    """The states that are reached today. `paused`, `waiting to retry` and `needs a decision` come with durable jobs.

    `verified` is said only when what lies at the destination was proven right; `copied, not verified` when bytes were
    sent and nothing compared; `finished` by a job that claims nothing about an archive, such as a comparison.
    """

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    VERIFIED = "verified"
    COPIED = "copied, not verified"
    FINISHED = "finished"
    FINDINGS = "finished with findings"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        return not TRANSITIONS[self]


_ENDS = frozenset({JobState.VERIFIED, JobState.COPIED, JobState.FINISHED, JobState.FINDINGS, JobState.FAILED})

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
        JobState.RUNNING: _ENDS | {JobState.STOPPING},
        # An operation may have finished its work before it saw the stop: then that is what has happened.
        JobState.STOPPING: _ENDS | {JobState.CANCELLED},
        **{end: frozenset() for end in (*_ENDS, JobState.CANCELLED)},
    }
)
"""Which state may follow which; an end is followed by none."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended: an end state, one sentence, and what it made. `value` is a receipt, a report or a difference."""

    state: JobState
    message: str
    findings: tuple[Finding, ...] = ()
    value: Any = None
    hint: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What was asked. `kind` is a word (publish, fetch, verify, compare), `source` and `destination` are for people,
    `command` is the command line that does the same (empty: there is none)."""

    kind: str
    title: str
    source: str
    destination: str
    command: str
    run: Callable[[Report, StopSignal], JobResult]


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
class JobSnapshot:
    """A job at one moment; it never changes. Times are seconds since the epoch, None: not yet.

    `failed_items` are the findings as they come, at most FAILED_ITEMS_SHOWN; `findings`, with digests, are there when
    the job has ended. `message` is a sentence once it has ended; `hint` and `code` belong to a failure.
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

    @property
    def current_phase(self) -> PhaseProgress | None:
        """The newest phase that has not ended, one with known totals before one without; when all have ended, the last
        one; None before the first."""
        running = [phase for phase in self.phases if not phase.ended] or list(self.phases)
        known = [phase for phase in running if phase.fraction is not None]
        return (known or running)[-1] if running else None


class JobRecord:
    """The changing side of a job. The engine's lock guards its state; events may come from several threads."""

    def __init__(self, job_id: int, spec: JobSpec, *, clock: Callable[[], float] = time.time) -> None:
        self.id = job_id
        self.spec = spec
        self.state = JobState.QUEUED
        self.stop = threading.Event()
        self.ended = threading.Event()
        self._clock = clock
        self._meter = ProgressMeter()
        self._lock = threading.Lock()
        self._log: deque[LogLine] = deque(maxlen=LOG_LENGTH)
        self._failed: list[FailedItem] = []
        self._failed_count = 0
        self._result: JobResult | None = None
        self._started_at: float | None = None
        self._ended_at: float | None = None
        self._frozen: JobSnapshot | None = None

    def handle(self, event: Event) -> None:
        """The `report` of the job's operation."""
        self._meter(event)
        if isinstance(event, Notice):
            self._write_log(event.text)
        elif isinstance(event, ItemFailed):
            with self._lock:
                self._failed_count += 1
                if len(self._failed) < FAILED_ITEMS_SHOWN:
                    self._failed.append(FailedItem(event.phase, event.item, event.reason, event.items_total))

    def start(self) -> None:
        self._enter(JobState.RUNNING)
        self._started_at = self._clock()
        self._write_log("Started.")

    def request_stop(self) -> bool:
        """Returns True when that changed the state."""
        if self.state.is_end or self.state is JobState.STOPPING:
            return False
        self.stop.set()
        if self.state is JobState.QUEUED:
            self._end(JobResult(JobState.CANCELLED, "Cancelled before it began; nothing was done."))
            self.ended.set()
        else:
            self._enter(JobState.STOPPING)
            self._write_log("Asked to stop.")
        return True

    def finish(self, result: JobResult) -> None:
        """Ends the job; a result that its state does not allow is a defect, and fails it."""
        if result.state not in TRANSITIONS[self.state]:
            text = f"A job that is {self.state} cannot become {result.state}: {result.message}"
            result = JobResult(JobState.FAILED, text, hint="Please report this defect.", code="defect")
        self._end(result)

    def freeze(self) -> JobSnapshot:
        """Returns the job as it stands now; the same object again once it has ended."""
        if self._frozen is not None:
            return self._frozen
        with self._lock:
            log, failed, count = tuple(self._log), tuple(self._failed), self._failed_count
        state, result = self.state, self._result  # in this order: a result is written before its state
        snapshot = JobSnapshot(
            id=self.id,
            kind=self.spec.kind,
            title=self.spec.title,
            source=self.spec.source,
            destination=self.spec.destination,
            command=self.spec.command,
            state=state,
            phases=self._meter.snapshot(),
            findings=result.findings if result else (),
            message=result.message if result else "",
            started_at=self._started_at,
            ended_at=self._ended_at,
            result=result.value if result else None,
            log=log,
            failed_items=failed,
            failed_count=count,
            hint=result.hint if result else "",
            code=result.code if result else "",
        )
        if state.is_end:
            self._frozen = snapshot
        return snapshot

    def _enter(self, state: JobState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"A job that is {self.state} cannot become {state}.")
        self.state = state

    def _end(self, result: JobResult) -> None:
        self._result = result
        self._ended_at = self._clock()
        self._write_log(result.message)
        # Last: whoever sees an end state sees the result as well.
        self._enter(result.state)

    def _write_log(self, text: str) -> None:
        with self._lock:
            self._log.append(LogLine(self._clock(), text))
