"""Runs what a command asks for as a job: here and now, or in the background."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.job_engine import find_job, open_engine, open_working_engine, state_folder
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.progress_display import ProgressDisplay, choose_display
from archive_tui.cli.running import run_operation, stop_on_signals
from archive_tui.errors import ArchiveError, OperationStopped
from archive_tui.progress import StopSignal, never

if TYPE_CHECKING:
    from archive_tui.cli.evidence import Hear
    from archive_tui.cli.invocation import Invocation
    from archive_tui.cli.job_options import JobOptions
    from archive_tui.jobs.engine import HereRun, JobEngine
    from archive_tui.jobs.job import JobSnapshot
    from archive_tui.jobs.request import JobRequest

LOOK_EVERY = 0.25
"""Seconds between two looks at a job that another process runs."""

RUNNER_AFTER = 2.0
"""Seconds after which a job that nobody has begun gets another process."""

MOST_RUNNERS = 3


def run_as_job(
    invocation: Invocation,
    request: JobRequest,
    *,
    live: Mapping[str, Any] | None = None,
    display: ProgressDisplay | None = None,
    heard: Hear | None = None,
    uses_storage: bool = True,
    also_stop: StopSignal = never,
) -> JobSnapshot:
    """Runs the job in this process, with progress on standard error; returns it as it has ended. `heard` is told of the
    evidence. `uses_storage` False: it needs no settings, and none are read. `also_stop` stops it as a signal does.

    Raises: what the operation raises, when the job can go on later with a hint that says how; ConfigurationError.
    """
    from archive_tui.jobs.limits import JobLimits

    limits = JobLimits.load(invocation.load_settings()) if uses_storage else JobLimits()
    with open_working_engine(invocation, limits, takes_queued=False, heard=heard) as engine:
        here: HereRun = run_operation(
            invocation,
            lambda report, stop: engine.run_here(request, live=live, report=report, stop=_EitherStop(stop, also_stop)),
            display=display,
        )
    if here.error is None:
        return _require_end(here.snapshot)
    if isinstance(here.error, OperationStopped) and not here.error.hint:
        here.error.hint = say_how_it_goes_on(here.snapshot)
    raise here.error


def _require_end(job: JobSnapshot) -> JobSnapshot:
    """An operation may end by itself when it is stopped, with a sentence on how far it came.

    Raises: OperationStopped.
    """
    from archive_tui.jobs.states import JobState

    if job.result is None and job.state in (JobState.PAUSED, JobState.QUEUED, JobState.CANCELLED):
        raise OperationStopped(job.message or "Stopped.", hint=say_how_it_goes_on(job))
    return job


@dataclass(frozen=True, slots=True)
class _EitherStop:
    one: StopSignal
    other: StopSignal

    def is_set(self) -> bool:
        return self.one.is_set() or self.other.is_set()


def say_how_it_goes_on(job: JobSnapshot) -> str:
    """Returns what to type to continue a job that was stopped; nothing when it cannot be continued."""
    if job.state.is_end:
        return ""
    return f"archive-tui jobs resume {job.id} goes on where it stopped, and so does the same command."


def queue_job(invocation: Invocation, request: JobRequest, options: JobOptions) -> int:
    """Queues the job for a process of its own, prints its number, and with `--wait` how it goes; returns the exit
    status.

    Raises: ArchiveError (background-failed); OperationStopped when the waiting was stopped: the job goes on.
    """
    from archive_tui.jobs.background import start_background_runner

    state, settings = state_folder(), invocation.load_settings()
    with open_engine(invocation) as engine:
        number = engine.submit(request)
        start_background_runner(state, settings.path)
        if options.wait:
            return wait_for_job(invocation, engine, number)
        job = find_job(engine, number)
    say_queued(invocation, job)
    return ExitStatus.CLEAN


def say_queued(invocation: Invocation, job: JobSnapshot) -> None:
    """Prints the number by which the job is known from now on."""
    from archive_tui.cli.job_documents import job_document

    if invocation.as_json:
        write_json(job_document(job))
        return
    write_line(f"Job {job.id}: {show_name(job.title)}")
    invocation.note(f"It is done in the background, also when you log out: archive-tui jobs show {job.id}")


def wait_for_job(invocation: Invocation, engine: JobEngine, number: int) -> int:
    """Shows how a job goes that another process runs, until it has ended or needs somebody; prints its last sentence
    and returns the exit status that tells how it has ended.

    Raises: ConfigurationError (job-not-found); OperationStopped when the waiting was stopped.
    """
    return show_ended(invocation, _watch(invocation, engine, number))


def show_ended(invocation: Invocation, job: JobSnapshot) -> int:
    """Prints the last sentence of a job, and what can be done next; returns the exit status that tells how it ended."""
    from archive_tui.cli.job_documents import describe_end, job_document, status_of_job

    status = status_of_job(job)
    if invocation.as_json:
        write_json({**job_document(job), "status": int(status)})
        return status
    write_line(f"Job {job.id}: {show_name(describe_end(job))}")
    hint = job.hint or _next_step(job)
    if hint:
        invocation.note(hint)
    return status


def _next_step(job: JobSnapshot) -> str:
    from archive_tui.jobs.states import JobState

    steps = {
        JobState.UNDECIDED: f"See what it asks: archive-tui jobs answer {job.id}",
        JobState.PAUSED: f"It goes on with: archive-tui jobs resume {job.id}",
        JobState.FINDINGS: f"What it found: archive-tui jobs show {job.id}",
    }
    return steps.get(job.state, "")


def _watch(invocation: Invocation, engine: JobEngine, number: int) -> JobSnapshot:
    display = choose_display(quiet=invocation.quiet)
    stop = threading.Event()
    runners = _RunnerCare(invocation)
    try:
        with stop_on_signals(stop):
            while True:
                job = find_job(engine, number)
                display.update(job.phases)
                if not _is_under_way(job):
                    return job
                runners.look_at(job)
                if stop.wait(LOOK_EVERY):
                    raise OperationStopped(
                        f"Stopped waiting; job {number} goes on.", hint=f"See: archive-tui jobs show {number} --wait"
                    )
    finally:
        display.close()


def _is_under_way(job: JobSnapshot) -> bool:
    from archive_tui.jobs.states import JobState

    return not job.state.is_end and job.state not in (JobState.PAUSED, JobState.UNDECIDED)


class _RunnerCare:
    """Sees to it that somebody works on a job that is waited for: its process may have died."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._looks = self._begun = 0

    def look_at(self, job: JobSnapshot) -> None:
        """Raises: ArchiveError (background-failed) when processes were begun again and again, and none did it."""
        from archive_tui.jobs.background import LOG_NAME, start_background_runner
        from archive_tui.jobs.states import JobState

        self._looks = self._looks + 1 if job.state is JobState.QUEUED else 0
        if self._looks * LOOK_EVERY < RUNNER_AFTER:
            return
        self._looks = 0
        state = state_folder()
        if not start_background_runner(state, self._invocation.load_settings().path):
            return
        self._begun += 1
        if self._begun > MOST_RUNNERS:
            raise ArchiveError(
                f"Job {job.id} is queued, but no process can do it.",
                hint=f"What they said stands in {state / LOG_NAME}.",
                code="background-failed",
            )
