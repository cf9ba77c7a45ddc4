"""A kind of job: what its parameters mean, and the operation that it runs. Kinds register themselves by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from archive_tui.conflicts import Resolve
from archive_tui.continuation import Journal
from archive_tui.integrity.report import Finding
from archive_tui.jobs.places import OpenedPlace
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState
from archive_tui.progress import Report, StopSignal


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a run ended: a state that may follow `running`, one sentence, and what it made.

    `value` is a receipt, a report or a difference, of a class that `jobs.receipts.results` can write down. `hint` and
    `code` as of an error.
    """

    state: JobState
    message: str
    findings: tuple[Finding, ...] = ()
    value: Any = None
    hint: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class JobWork:
    """All that a run is given. `live` holds what the submitter attached in this very process (somebody who wants to see
    the lines, a plan that was made already); it is empty when another process runs the job, which must do without.

    `open_place` opens a place of the parameters (`jobs.places`) under the policy of the job: throttled, and remembering
    unfinished uploads. It is closed when the run ends. `resolve` answers conflicts by the policy, or asks and says ASK.
    """

    job_id: int
    parameters: Mapping[str, Any]
    policy: JobPolicy
    report: Report
    stop: StopSignal
    journal: Journal
    resolve: Resolve
    open_place: Callable[[Mapping[str, Any]], OpenedPlace]
    evidence: Any = None
    live: Mapping[str, Any] = field(default_factory=dict)


class Upgrade(Protocol):
    def __call__(self, parameters: Mapping[str, Any], version: int, /) -> Mapping[str, Any]:
        """Returns parameters of the current version. Raises: ConfigurationError (job-too-old)."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """`run` raises ArchiveErrors; one that a retry can cure is StorageUnavailable. A stopped run may raise
    OperationStopped, or return what it has done when that was all.

    `outlives_process` False: nobody waits for it any more when the process that asked is gone, so it is cancelled
    instead of taken over. `upgrade` None: parameters of an older version are refused.
    """

    name: str
    run: Callable[[JobWork], JobResult]
    version: int = 1
    outlives_process: bool = True
    upgrade: Upgrade | None = None
