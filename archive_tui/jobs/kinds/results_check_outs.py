"""The kind of job that checks files out of a results store, into a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from archive_tui.archives.results_store.checking_out_many import check_out_many
from archive_tui.archives.results_store.result_entry import ResultEntry
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.results_places import open_job_results, results_command, results_title
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_count

Wanted = tuple[str, str, str]
"""Event, production and name; an empty production means all of the event, an empty name all of the production."""


def check_out_job(place: Place, wanted: Sequence[Wanted], into: Path, *, policy: JobPolicy | None = None) -> JobRequest:
    """Checks files out into a folder. The result's value is a CheckOutReport."""
    folder, policy = os.path.abspath(into), policy or JobPolicy()  # noqa: PTH100  (no link is resolved)
    paths = ["/".join(filter(None, each)) for each in wanted]
    what = paths[0] if len(paths) == 1 else format_count(len(paths), "file")
    rule = ["--overwrite"] if policy.conflicts is ConflictRule.REPLACE else []
    is_one = len(wanted) == 1 and all(wanted[0])
    return JobRequest(
        kind="check-out",
        title=f"check out {what}",
        source=f"{results_title(place)}:{what}",
        destination=folder,
        command=results_command(place, "fetch", *wanted[0], "--to", folder, *rule) if is_one else "",
        parameters={"place": dict(place), "wanted": [list(each) for each in wanted], "into": folder},
        policy=policy,
    )


def _check_out(work: JobWork) -> JobResult:
    results = open_job_results(work)
    done = check_out_many(
        results,
        _find_entries(results, require(work.parameters, "wanted", list)),
        Path(require(work.parameters, "into", str)),
        overwrite=work.policy.conflicts is ConflictRule.REPLACE,
        report=work.report,
        stop=work.stop,
        journal=work.journal,
    )
    if work.evidence is not None:
        for receipt in done.receipts:
            work.evidence.record(receipt.evidence)
    state = JobState.FINDINGS if done.findings else JobState.VERIFIED
    return JobResult(state, done.sentence, done.findings, done)


def _find_entries(results: ResultsStore, wanted: Sequence[Sequence[str]]) -> list[ResultEntry]:
    """Raises: ObjectNotFound for a name that the manifest does not list."""
    found: dict[str, ResultEntry] = {}
    for event, production, name in wanted:
        each = [results.find(event, production, name)] if name else results.entries(event, production)
        found.update((entry.path, entry) for entry in each)
    return list(found.values())


CHECK_OUT = JobKind("check-out", _check_out)
