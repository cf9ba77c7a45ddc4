"""The kind of job behind the guide's third step: what really differs from the latest version, by SHA-256."""

from __future__ import annotations

from archive_tui.archives.datasets.planning import PublishPlan
from archive_tui.errors import ConfigurationError
from archive_tui.integrity.inventory import Difference, Entry, Inventory, compare_inventories
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.operations.hashing.files import hash_files
from archive_tui.progress import Ended, Planned


def compare_job(plan: PublishPlan) -> JobRequest:
    """Hashes the source files of the same size as in the latest version; give the plan as `live["plan"]`. The result's
    value is a Difference in which only those stand as `unknown` that could not be read."""
    latest = plan.latest.version if plan.latest is not None else "nothing"
    return JobRequest(
        kind="compare",
        title=f"compare {plan.request.name} with {latest}",
        source=str(plan.request.source),
        destination="",
        command="",
        parameters={},
        policy=JobPolicy(retries=0),
    )


def _compare(work: JobWork) -> JobResult:
    plan: PublishPlan | None = work.live.get("plan")
    if plan is None:
        raise ConfigurationError(
            "Nobody waits for this comparison any more.",
            hint="Open the publish guide again: it compares anew.",
            code="job-without-asker",
        )
    difference = _compare_by_digest(plan, work)
    unread = len(difference.unknown)
    message = f"Compared by SHA-256: {len(difference.changed)} changed, {len(difference.same)} the same."
    if unread:
        message += f" {unread} could not be read."
    return JobResult(JobState.FINISHED, message, value=difference)


def _compare_by_digest(plan: PublishPlan, work: JobWork) -> Difference:
    if plan.difference is None or plan.latest_manifest is None:
        return Difference((), (), (), (), ())
    unknown = {entry.path for entry in plan.difference.unknown}
    sizes = {file.path: file.size for file in plan.scan.files}
    entries = {path: Entry(path, size, None) for path, size in sizes.items()}
    work.report(Planned("hash", len(unknown), sum(sizes[path] for path in unknown)))
    finished = False
    try:
        for hashed in hash_files(plan.scan.base, sorted(unknown), report=work.report, stop=work.stop):
            if hashed.digest is not None:
                entries[hashed.path] = Entry(hashed.path, hashed.size, hashed.digest)
        finished = True
    finally:
        work.report(Ended("hash", finished))
    return compare_inventories(plan.latest_manifest.inventory, Inventory(entries.values()))


COMPARE = JobKind("compare", _compare, outlives_process=False)
"""Nobody but the open guide waits for it."""
