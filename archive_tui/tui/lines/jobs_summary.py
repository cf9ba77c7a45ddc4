"""The jobs in a few words, for the end of the title line."""

from __future__ import annotations

from collections.abc import Iterable

from archive_tui.jobs.job import JobSnapshot
from archive_tui.names.quantities import format_count, format_span
from archive_tui.tui.lines.job_rows import add_up
from archive_tui.tui.lines.progress_lines import format_percent


def summarise_jobs(jobs: Iterable[JobSnapshot]) -> str:
    """`▸ 2 jobs  41 %  3 m left  · 5 waiting  ? 1 to decide`; empty when none runs, waits, or needs somebody. What is
    done and left is that of the jobs that run."""
    totals = add_up(jobs)
    parts = []
    if totals.running:
        parts.append(f"▸ {format_count(totals.running, 'job')}")
        parts.append(format_percent(totals.fraction))
        parts.append(f"{format_span(totals.left)} left" if totals.left is not None else "")
    if totals.queued:
        parts.append(f"· {totals.queued} waiting")
    if totals.undecided:
        parts.append(f"? {totals.undecided} to decide")
    if totals.paused:
        parts.append(f"‖ {totals.paused} paused")
    return "  ".join(filter(None, parts))
