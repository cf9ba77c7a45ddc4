"""The queue of the user, as the commands open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from archive_tui.errors import ArchiveError, ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from archive_tui.cli.evidence import Hear
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.job import JobSnapshot
    from archive_tui.jobs.limits import JobLimits


@contextmanager
def open_engine(invocation: Invocation) -> Iterator[JobEngine]:
    """Opens the queue to look at it and to change it; nothing is run. Remarks become notes when it is closed."""
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.queue import open_job_queue

    with closing(open_job_queue()) as queue:
        engine = JobEngine(queue, takes_queued=False)
        try:
            yield engine
        finally:
            engine.close()
            for remark in engine.remarks:
                invocation.note(remark)


@contextmanager
def open_working_engine(
    invocation: Invocation, limits: JobLimits, *, takes_queued: bool, heard: Hear | None = None
) -> Iterator[JobEngine]:
    """Opens the queue to run jobs in this process. Jobs that still run here when it is closed are let go, and stay
    queued. `heard` is told of the evidence that is recorded."""
    from archive_tui.cli.evidence import HeardEvidence
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.limits import JOBS_AT_ONCE
    from archive_tui.jobs.queue import open_job_queue
    from archive_tui.state.database import open_state_database

    workers = limits.jobs_at_once or JOBS_AT_ONCE
    with closing(open_state_database()) as database, closing(open_job_queue()) as queue:
        engine = JobEngine(
            queue, workers=workers, takes_queued=takes_queued, evidence=HeardEvidence(database, heard), limits=limits
        )
        try:
            yield engine
        finally:
            engine.close()
            for remark in dict.fromkeys((*database.remarks, *engine.remarks)):
                invocation.note(remark)


def find_job(engine: JobEngine, number: int) -> JobSnapshot:
    """Returns a job with all that is known of it. Raises: ConfigurationError (job-not-found)."""
    found = engine.get(number)
    if found is None:
        raise ConfigurationError(
            f"No job has the number {number}.",
            hint="These are known: archive-tui jobs list --all",
            code="job-not-found",
        )
    return found


def state_folder() -> Path:
    """Returns where the queue lies, and what belongs to it. Raises: ArchiveError (background-failed) without a home."""
    from archive_tui.state.database import find_state_file

    path = find_state_file()
    if path is None:
        raise ArchiveError(
            "There is no folder for the queue: this user has no home.",
            hint="Run the command without --background.",
            code="background-failed",
        )
    return path.parent
