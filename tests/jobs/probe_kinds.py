"""Kinds of jobs for tests of the engine, steered by files, so that they can be run in other processes, too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from archive_tui.errors import StorageUnavailable
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.kinds import register_kind
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.progress import check_stop

VERIFIED = JobResult(JobState.VERIFIED, "All well.")


def do_probe(work: JobWork) -> JobResult:
    """Parameters: `begun` is a file that is appended to, `go` one that is waited for, `unavailable` how many runs fail
    before one succeeds; `obeys` False: the stop signal is not looked at."""
    parameters = work.parameters
    if "begun" in parameters:
        with Path(parameters["begun"]).open("a") as file:
            file.write(f"{work.job_id}\n")
    while "go" in parameters and not Path(parameters["go"]).exists():
        threading.Event().wait(0.01)
        if parameters.get("obeys", True):
            check_stop(work.stop)
    if "unavailable" in parameters:
        runs = len(Path(parameters["begun"]).read_text().splitlines())
        if runs <= parameters["unavailable"]:
            raise StorageUnavailable("No answer from lab-s3.", hint="Try again later.")
    return VERIFIED


def do_live(work: JobWork) -> JobResult:
    """Calls what the submitter attached."""
    run: Callable[[JobWork], JobResult] = work.live["run"]
    return run(work)


PROBE = JobKind("probe", do_probe)
LIVE = JobKind("live", do_live)
BOUND = JobKind("bound", do_probe, outlives_process=False)


def register() -> None:
    for kind in (PROBE, LIVE, BOUND):
        register_kind(kind)


def probe(
    title: str = "a job", *, kind: str = "probe", policy: JobPolicy | None = None, **parameters: Any
) -> JobRequest:
    """Paths among the parameters become text."""
    plain: Mapping[str, Any] = {
        name: str(value) if isinstance(value, Path) else value for name, value in parameters.items()
    }
    return JobRequest(
        kind, title, "/source", "lab:key", "archive-tui …", plain, policy=policy if policy is not None else JobPolicy()
    )


register()
