"""The kind of job that verifies a whole results store."""

from __future__ import annotations

from archive_tui.archives.results_store.verifying import verify_results
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.results_places import open_job_results, results_command, results_title
from archive_tui.jobs.verdict_states import judge_report


def verify_results_job(place: Place, *, policy: JobPolicy | None = None) -> JobRequest:
    """Reads every file of a results store; the result's value is an IntegrityReport."""
    return JobRequest(
        kind="verify-results",
        title=f"verify results of {results_title(place)}",
        source=results_title(place),
        destination="",
        command=results_command(place, "verify"),
        parameters={"place": dict(place)},
        policy=policy or JobPolicy(),
    )


def _verify(work: JobWork) -> JobResult:
    return judge_report(
        verify_results(open_job_results(work), report=work.report, stop=work.stop, journal=work.journal)
    )


VERIFY_RESULTS = JobKind("verify-results", _verify)
