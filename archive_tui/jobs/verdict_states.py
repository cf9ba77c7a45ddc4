"""The states that follow from what a verification has found."""

from __future__ import annotations

from archive_tui.errors import HashError, OperationStopped
from archive_tui.integrity.report import IntegrityReport, Verdict
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.states import JobState
from archive_tui.progress import Event, ItemDone, ItemFailed, Planned

STATE_OF_VERDICT = {
    Verdict.VERIFIED: JobState.VERIFIED,
    Verdict.FINDINGS: JobState.FINDINGS,
    Verdict.INCONCLUSIVE: JobState.FINDINGS,
    Verdict.STOPPED: JobState.CANCELLED,
}


def judge_report(result: IntegrityReport) -> JobResult:
    return JobResult(STATE_OF_VERDICT[result.verdict], result.sentence, findings=result.findings, value=result)


def keep_findings(error: HashError) -> JobResult:
    """What was found in a damaged archive is a finding of the job, not a failure without details.

    Raises: the error itself when it carries no findings.
    """
    findings = error.report.findings if isinstance(error.report, IntegrityReport) else ()
    if not findings:
        raise error
    return JobResult(JobState.FINDINGS, error.message, findings, error.report, error.hint, error.code)


class Reached:
    """How far an operation came that ends by an exception when it is stopped. A `report` that passes all on."""

    def __init__(self, work: JobWork) -> None:
        self._work = work
        self._done = 0
        self._total: int | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Planned):
            self._total = event.items
        elif isinstance(event, ItemDone | ItemFailed):
            self._done = max(self._done, event.items_total)
        self._work.report(event)

    def describe_stop(self, stopped: OperationStopped) -> JobResult:
        """Raises: `stopped` itself when nobody has asked the job to stop."""
        if not self._work.stop.is_set():
            raise stopped
        reached = f" at {self._done:,} of {self._total:,}" if self._total is not None else ""
        return JobResult(JobState.CANCELLED, f"Stopped{reached}: nothing is claimed for the rest")
