"""The kind of job that verifies datasets of a datasafe where they lie."""

from __future__ import annotations

from collections.abc import Sequence

from archive_tui.archives.datasafe.verifying_many import verify_datasets
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.safe_places import open_job_safe, safe_command, safe_title
from archive_tui.jobs.verdict_states import judge_report
from archive_tui.names.quantities import format_count


def verify_safe_job(
    place: Place, lois: Sequence[str] | None, *, prefix: str = "", policy: JobPolicy | None = None
) -> JobRequest:
    """Verifies the datasets of these LOIs, or with None all below `prefix`; the result's value is an
    IntegrityReport."""
    what = prefix or "all" if lois is None else lois[0] if len(lois) == 1 else format_count(len(lois), "dataset")
    words = (prefix,) if lois is None and prefix else tuple(lois or ())
    options = ("--all",) if lois is None else ()
    return JobRequest(
        kind="verify-safe",
        title=f"verify {what} of {safe_title(place)}",
        source=f"{safe_title(place)}:{what}",
        destination="",
        command=safe_command(place, "verify", *words, *options),
        parameters={"place": dict(place), "lois": None if lois is None else list(lois), "prefix": prefix},
        policy=policy or JobPolicy(),
    )


def _verify(work: JobWork) -> JobResult:
    with open_job_safe(work) as safe:
        found = verify_datasets(
            safe,
            work.parameters.get("lois"),
            prefix=require(work.parameters, "prefix", str),
            report=work.report,
            stop=work.stop,
            journal=work.journal,
            tell=lambda evidence: None if work.evidence is None else work.evidence.record(evidence),
        )
    return judge_report(found)


VERIFY_SAFE = JobKind("verify-safe", _verify)
