"""The kind of job that checks files in, into a results store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from archive_tui.archives.results_store.checking_in_many import CheckInReport, check_in
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.results_places import open_job_results, results_command, results_title
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_count


def check_in_job(
    place: Place,
    event: str,
    production: str,
    files: Sequence[Path],
    *,
    name: str | None = None,
    allow_duplicate: bool = False,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Checks files of this machine in; `name` is another name for a single one. The result's value is a
    CheckInReport."""
    paths = [os.path.abspath(path) for path in files]  # noqa: PTH100  (no link is resolved)
    what = Path(paths[0]).name if len(paths) == 1 else format_count(len(paths), "file")
    options = [*(["--name", name] if name is not None else []), *(["--allow-duplicate"] if allow_duplicate else [])]
    return JobRequest(
        kind="check-in",
        title=f"check in {what} to {event}/{production}",
        source=paths[0] if len(paths) == 1 else str(Path(paths[0]).parent),
        destination=f"{results_title(place)}:{event}/{production}",
        command=results_command(place, "store", event, production, *paths, *options),
        parameters={
            "place": dict(place),
            "event": event,
            "production": production,
            "files": paths,
            "names": None if name is None else [name],
            "allow_duplicate": allow_duplicate,
        },
        policy=policy or JobPolicy(),
    )


def _check_in(work: JobWork) -> JobResult:
    parameters = work.parameters
    done = check_in(
        open_job_results(work),
        require(parameters, "event", str),
        require(parameters, "production", str),
        [Path(path) for path in require(parameters, "files", list)],
        names=parameters.get("names"),
        allow_duplicate=require(parameters, "allow_duplicate", bool),
        report=work.report,
        stop=work.stop,
        journal=work.journal,
    )
    _record(work, done)
    state = JobState.FINDINGS if done.findings else JobState.VERIFIED
    return JobResult(state, done.sentence, done.findings, done)


def _record(work: JobWork, done: CheckInReport) -> None:
    if work.evidence is not None:
        for receipt in done.receipts:
            work.evidence.record(receipt.evidence)


CHECK_IN = JobKind("check-in", _check_in)
