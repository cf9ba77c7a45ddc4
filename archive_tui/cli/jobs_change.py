"""`archive-tui jobs pause`, `resume`, `cancel` and `retry`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from archive_tui.cli.diagnostics import ExitStatus, report_error
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_documents import describe_state, job_document
from archive_tui.cli.job_engine import find_job, open_engine, state_folder
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.jobs.states import JobState

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.job import JobSnapshot

Command = TypeVar("Command", bound=Callable[..., Any])

SAME_ALREADY = {
    "pause": frozenset({JobState.PAUSED}),
    "resume": frozenset({JobState.QUEUED, JobState.RUNNING}),
    "cancel": frozenset({JobState.CANCELLED}),
    "retry": frozenset({JobState.QUEUED, JobState.RUNNING}),
}
"""States in which what is wanted is so already."""

PARTICIPLES = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "retry": "retried"}


def _takes_jobs(command: Command) -> Command:
    return click.argument("numbers", metavar="NUMBER...", type=click.IntRange(min=1), nargs=-1, required=True)(command)


def start_option(command: Command) -> Command:
    """Adds `--no-start`."""
    return click.option("--no-start", is_flag=True, help="Only queue them: no process is started that does them.")(
        command
    )


@click.command()
@_takes_jobs
@common_options
def pause(numbers: tuple[int, ...]) -> int:
    """Pause jobs, whichever process runs them: each stops at its next block, and goes on there when it is resumed."""
    return _change(current_invocation(), "pause", numbers)


@click.command()
@_takes_jobs
@start_option
@common_options
def resume(numbers: tuple[int, ...], no_start: bool) -> int:
    """Let jobs go on where they stopped, in the background unless a process works through the queue already.

    To watch one: archive-tui jobs show NUMBER --wait. To do it in this terminal: archive-tui jobs run NUMBER.
    """
    return _change(current_invocation(), "resume", numbers, starts=not no_start)


@click.command()
@_takes_jobs
@common_options
def cancel(numbers: tuple[int, ...]) -> int:
    """Cancel jobs. What is not visible yet is removed: unfinished uploads and half-unpacked folders.

    What is published, archived or fetched already stays.
    """
    return _change(current_invocation(), "cancel", numbers)


@click.command()
@_takes_jobs
@start_option
@common_options
def retry(numbers: tuple[int, ...], no_start: bool) -> int:
    """Try jobs again that failed, have findings, or were cancelled. What an earlier attempt has proven is not repeated.

    They are done in the background unless a process works through the queue already.
    """
    return _change(current_invocation(), "retry", numbers, starts=not no_start)


def _change(invocation: Invocation, verb: str, numbers: tuple[int, ...], *, starts: bool = False) -> int:
    with open_engine(invocation) as engine:
        for number in numbers:
            find_job(engine, number)  # nothing is changed when one of them is a slip of the pen
        done = [_change_one(engine, verb, number) for number in dict.fromkeys(numbers)]
    if starts and any(job.state is JobState.QUEUED for job, _ in done):
        start_runner(invocation)
    status = ExitStatus.CLEAN if all(is_so for _, is_so in done) else ExitStatus.FINDINGS
    if invocation.as_json:
        write_json({"jobs": [{**job_document(job), "done": is_so} for job, is_so in done], "status": int(status)})
        return status
    for job, is_so in done:
        if is_so:
            write_line(f"Job {job.id}: {describe_state(job)}, {show_name(job.title)}")
        else:
            report_error(f"Job {job.id} cannot be {PARTICIPLES[verb]}: it is {describe_state(job)}.", _hint(job))
    return status


def _change_one(engine: JobEngine, verb: str, number: int) -> tuple[JobSnapshot, bool]:
    change: Callable[[int], bool] = getattr(engine, verb)
    is_changed = change(number)
    job = find_job(engine, number)
    return job, is_changed or job.state in SAME_ALREADY[verb]


def _hint(job: JobSnapshot) -> str:
    if job.state is JobState.UNDECIDED:
        return f"It asks something: archive-tui jobs answer {job.id}"
    return f"See: archive-tui jobs show {job.id}"


def start_runner(invocation: Invocation) -> None:
    """Lets a process work through the queue, unless one does.

    Raises: ArchiveError (background-failed).
    """
    from archive_tui.jobs.background import start_background_runner

    start_background_runner(state_folder(), invocation.load_settings().path)
