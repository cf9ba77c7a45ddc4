"""The jobs in a few words, for the end of the title line."""

from __future__ import annotations

from collections.abc import Iterable

from archive_tui.jobs.job import JobSnapshot
from archive_tui.names.quantities import format_count, format_span


def summarise_jobs(jobs: Iterable[JobSnapshot]) -> str:
    """`▸ 2 jobs  41 %  3 m left`; empty when none runs or waits."""
    active = [job for job in jobs if not job.state.is_end]
    if not active:
        return ""
    phases = [phase for job in active if (phase := job.current_phase) is not None]
    done = sum(phase.bytes_done for phase in phases if phase.bytes_total)
    total = sum(phase.bytes_total or 0 for phase in phases)
    left = max((phase.eta for phase in phases if phase.eta is not None), default=None)
    parts = [f"▸ {format_count(len(active), 'job')}"]
    if total:
        parts.append(f"{min(100, 100 * done // total)} %")
    if left is not None:
        parts.append(f"{format_span(left)} left")
    return "  ".join(parts)
