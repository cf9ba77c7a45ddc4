"""`archive-tui jobs run`: works through the queue until nothing is left to do, or for as long as it is let."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_documents import describe_end, describe_state, job_document, status_of_job
from archive_tui.cli.job_engine import find_job, open_working_engine, state_folder
from archive_tui.cli.output import flush_output, show_name, write_json, write_line
from archive_tui.cli.progress_display import ProgressDisplay, choose_display
from archive_tui.cli.running import STOPPING, run_operation, stop_on_signals
from archive_tui.errors import ArchiveError, OperationStopped
from archive_tui.jobs.states import JobState

if TYPE_CHECKING:
    from pathlib import Path

    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.background import RunnerLock
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.job import JobSnapshot
    from archive_tui.jobs.progress_meter import PhaseProgress

LOOK_EVERY = 0.25
"""Seconds between two looks at the queue."""


@click.command()
@click.argument("numbers", metavar="[NUMBER]...", type=click.IntRange(min=1), nargs=-1)
@click.option("--until-idle", is_flag=True, help="End when nothing is left to do.  [the default]")
@click.option("--keep-running", is_flag=True, help="Wait for more, until a signal comes.")
@click.option("--lock-descriptor", type=int, hidden=True)
@common_options
def run(numbers: tuple[int, ...], until_idle: bool, keep_running: bool, lock_descriptor: int | None) -> int:
    """Work through the queue in this process, or do the jobs of these NUMBERs and no others.

    Several such processes share the queue. Ctrl-C, SIGTERM and SIGHUP stop cleanly: what runs here stays queued (a job
    that was named is paused), and goes on where it stopped when somebody runs it again. A job that asks something is
    left, and the rest goes on.

    Exit status: 0 all jobs ended well, 1 one failed, has findings or asks something, 130 stopped.
    """
    if keep_running and (until_idle or numbers):
        raise click.UsageError("--keep-running goes with neither --until-idle nor numbers of jobs.")
    invocation = current_invocation()
    runner = _Runner(invocation, keep_running=keep_running)
    if numbers:
        return runner.do(numbers)
    return runner.work_through(_Place(state_folder(), lock_descriptor))


class _Place:
    """This process as the one that works through the queue, where there is none yet."""

    def __init__(self, state: Path, descriptor: int | None) -> None:
        from archive_tui.jobs.background import inherit_runner_lock

        self._state = state
        self._lock: RunnerLock | None = None if descriptor is None else inherit_runner_lock(descriptor)
        if self._lock is None:
            self.take()

    def take(self) -> None:
        """Where no such file can be, it is done without."""
        from archive_tui.jobs.background import take_runner_lock

        with contextlib.suppress(OSError):
            self._lock = take_runner_lock(self._state)

    def leave(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class _Runner:
    def __init__(self, invocation: Invocation, *, keep_running: bool) -> None:
        self._invocation = invocation
        self._keep_running = keep_running
        self._changes: SimpleQueue[JobSnapshot] = SimpleQueue()
        self._ours: set[int] = set()
        self._ended: dict[int, JobSnapshot] = {}
        self._stop = threading.Event()
        self._is_list_whole = True

    def work_through(self, place: _Place) -> int:
        """Raises: OperationStopped; ConfigurationError."""
        display = choose_display(quiet=self._invocation.quiet)
        try:
            with stop_on_signals(self._stop), self._open(takes_queued=True) as engine:
                engine.subscribe(self._changes.put)
                self._is_list_whole = not engine.remarks
                self._loop(engine, place, display)
                if self._stop.is_set():
                    display.say(STOPPING)
                    engine.detach()
                self._tell_changes(engine)
        finally:
            place.leave()
            display.close()
        return self._finish()

    def do(self, numbers: tuple[int, ...]) -> int:
        """Raises: OperationStopped; ConfigurationError (job-not-found)."""
        with self._open(takes_queued=False) as engine:
            for number in numbers:
                find_job(engine, number)
            for number in dict.fromkeys(numbers):
                self._do_one(engine, number)
        return self._finish()

    def _do_one(self, engine: JobEngine, number: int) -> None:
        here = run_operation(self._invocation, lambda report, stop: engine.run_chosen(number, report=report, stop=stop))
        job = find_job(engine, number)
        if here is not None and job.state is JobState.PAUSED:
            raise OperationStopped(f"Stopped; job {number} is paused.", hint=f"archive-tui jobs run {number} goes on.")
        if here is None and not job.state.is_end:
            raise ArchiveError(
                f"Job {number} is {describe_state(job)} in another process: {job.owner}",
                hint=f"See: archive-tui jobs show {number} --wait",
                code="job-elsewhere",
            )
        self._tell(job)

    def _open(self, *, takes_queued: bool) -> contextlib.AbstractContextManager[JobEngine]:
        from archive_tui.jobs.limits import JobLimits

        limits = JobLimits.load(self._invocation.load_settings())
        return open_working_engine(self._invocation, limits, takes_queued=takes_queued)

    def _loop(self, engine: JobEngine, place: _Place, display: ProgressDisplay) -> None:
        while not self._stop.is_set():
            self._tell_changes(engine)
            found = engine.snapshot()
            display.update(_phases_here(found))
            if not self._keep_running and _is_idle(found):
                # Who queued something a moment ago has seen the lock and started nobody: look once more without it.
                place.leave()
                if _is_idle(engine.snapshot()):
                    return
                place.take()
            self._stop.wait(LOOK_EVERY)

    def _tell_changes(self, engine: JobEngine) -> None:
        """Prints what became of the jobs that ran here."""
        with contextlib.suppress(Empty):
            while True:
                job = self._changes.get_nowait()
                if job.is_here and job.state.is_running:
                    self._ours.add(job.id)
                elif job.id in self._ours:
                    self._ours.discard(job.id)
                    self._tell(find_job(engine, job.id))

    def _tell(self, job: JobSnapshot) -> None:
        if job.state not in (JobState.QUEUED, JobState.WAITING):
            self._ended[job.id] = job
        if self._invocation.as_json:
            return
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        write_line(f"{now}  job {job.id}, {show_name(job.title)}: {show_name(describe_end(job))}")
        flush_output()

    def _finish(self) -> int:
        """Raises: OperationStopped when a signal ended it."""
        jobs = list(self._ended.values())
        status = max((_status(job) for job in jobs), default=ExitStatus.CLEAN, key=_BY_WEIGHT.index)
        if self._stop.is_set():
            raise OperationStopped(
                "Stopped. Jobs that have not ended stay queued.", hint="archive-tui jobs run goes on."
            )
        if self._invocation.as_json:
            write_json({"jobs": [job_document(job) for job in jobs], "status": int(status)})
        elif not jobs and self._is_list_whole:
            self._invocation.note("Nothing was queued.")
        return status


_BY_WEIGHT = (ExitStatus.CLEAN, ExitStatus.INCONCLUSIVE, ExitStatus.FINDINGS)


def _status(job: JobSnapshot) -> ExitStatus:
    """That a job was cancelled or paused is what somebody wanted, and no failure of this command."""
    status = status_of_job(job)
    return ExitStatus.CLEAN if status is ExitStatus.STOPPED else status


def _is_idle(jobs: tuple[JobSnapshot, ...]) -> bool:
    return not any(
        job.state in (JobState.QUEUED, JobState.WAITING) or (job.is_here and job.state.is_running) for job in jobs
    )


def _phases_here(jobs: tuple[JobSnapshot, ...]) -> list[PhaseProgress]:
    """The phases of all jobs that run here, each under the number of its job."""
    return [
        replace(phase, phase=f"{job.id} {phase.phase}")
        for job in jobs
        if job.is_here and job.state.is_running
        for phase in job.phases
    ]
