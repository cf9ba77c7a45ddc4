"""`archive-tui jobs list`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_documents import describe_share, describe_state, describe_when, job_document
from archive_tui.cli.job_engine import open_engine, state_folder
from archive_tui.cli.output import write_json, write_table
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_rate

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.job import JobSnapshot

ENDED_SHOWN = 10
"""Jobs that have ended and are listed without `--all`."""

PAGE = 500

HEAD = ("#", "state", "done", "rate", "", "what")

_TODAY = 86400.0


@click.command(name="list")
@click.option("--all", "everything", is_flag=True, help="All that have ended, not only the newest ten.")
@common_options
def list_jobs(everything: bool) -> int:
    """List the jobs: those that run, those that wait in the order in which they will, and those that ended lately.

    A job whose process is gone is not running: it is queued again, and says so in its log.
    """
    from archive_tui.jobs.background import is_runner_alive

    invocation = current_invocation()
    with open_engine(invocation) as engine:
        jobs = _collect(engine, everything=everything)
        is_alive = is_runner_alive(state_folder())
        remarks = list(engine.remarks)
    if invocation.as_json:
        write_json({"jobs": [job_document(job) for job in jobs], "runner": is_alive, "remarks": remarks})
        return 0
    if not jobs and not remarks:
        invocation.note(
            "There are no jobs. Commands like `dataset publish` make one; --background lets it go on alone."
        )
    _show(jobs)
    _note_what_is_missing(invocation, jobs, is_alive)
    return 0


def _collect(engine: JobEngine, *, everything: bool) -> list[JobSnapshot]:
    found = engine.snapshot()
    unfinished = [job for job in found if not job.state.is_end]
    unfinished.sort(key=lambda job: (not job.state.is_running, job.position, job.id))
    ended = sorted((job for job in found if job.state.is_end), key=lambda job: job.ended_at or 0.0, reverse=True)
    if not everything:
        return unfinished + ended[:ENDED_SHOWN]
    known = {job.id: job for job in ended}
    offset = 0
    while page := engine.history(offset, PAGE):
        known.update((job.id, job) for job in page if job.state.is_end)
        offset += PAGE
    return unfinished + sorted(known.values(), key=lambda job: job.ended_at or 0.0, reverse=True)


def _show(jobs: Sequence[JobSnapshot]) -> None:
    if not jobs:
        return
    rows = [HEAD, *(_row(job) for job in jobs)]
    used = [column for column in range(len(HEAD)) if any(row[column] for row in rows[1:])]
    shown = [tuple(row[column] for column in used) for row in rows]
    write_table(_fit(shown), right=frozenset({0, *(used.index(c) for c in (2, 3) if c in used)}))


def _row(job: JobSnapshot) -> tuple[str, ...]:
    phase = job.current_phase
    rate = format_rate(phase.rate) if phase is not None and job.state.is_running else ""
    when = describe_when(job) or (format_clock(job.ended_at) if job.state.is_end else "")
    return str(job.id), describe_state(job), describe_share(job), rate, when, escape_for_display(job.title)


def format_clock(seconds: float | None) -> str:
    """Returns the time of a point of the last day, else its date, both local."""
    if seconds is None:
        return ""
    form = "%H:%M" if abs(time.time() - seconds) < _TODAY else "%Y-%m-%d"
    return time.strftime(form, time.localtime(seconds))


def _fit(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Cuts the last column where a terminal would break the line; in a pipe everything is written."""
    columns = _terminal_columns()
    before = sum(max(len(row[column]) for row in rows) + 2 for column in range(len(rows[0]) - 1))
    room = max(20, columns - before) if columns else None
    return [(*row[:-1], row[-1] if room is None or len(row[-1]) <= room else f"{row[-1][: room - 1]}…") for row in rows]


def _terminal_columns() -> int:
    import os

    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 0


def _note_what_is_missing(invocation: Invocation, jobs: Sequence[JobSnapshot], is_alive: bool) -> None:
    waiting = sum(job.state in (JobState.QUEUED, JobState.WAITING) for job in jobs)
    if waiting and not is_alive and not any(job.state.is_running for job in jobs):
        verb = "is" if waiting == 1 else "are"
        invocation.note(f"{format_count(waiting, 'job')} {verb} queued, and nobody works on it: archive-tui jobs run")
    for job in jobs:
        if job.state is JobState.UNDECIDED:
            invocation.note(f"Job {job.id} needs you: archive-tui jobs answer {job.id}")
