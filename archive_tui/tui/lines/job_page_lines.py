"""One job in full as lines of text: the way, the phases, the end, the findings, the log, and what became of items."""

from __future__ import annotations

from archive_tui.continuation import ItemMark
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_duration, format_rate, format_size
from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle, fit_right, pad_to
from archive_tui.tui.lines.findings import job_findings
from archive_tui.tui.lines.job_rows import describe_now
from archive_tui.tui.lines.progress_lines import job_lines
from archive_tui.tui.lines.text_rows import labelled_rows
from archive_tui.tui.lines.times import format_clock, format_time

FINDINGS_SHOWN = 200
LOG_SHOWN = 5
"""Lines of the log on the overview; the rest is behind a key."""

OUTCOME_WIDTH, SIZE_WIDTH, EVIDENCE_WIDTH = 12, 9, 10
ROOM_FOR_DETAIL = 100
"""Cells of a line from which on an item has its detail beside it."""


def overview_rows(job: JobSnapshot, width: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = [[], *labelled_rows("from", job.source, width - 2)]
    if job.destination:
        rows += labelled_rows("to", job.destination, width - 2)
    rows += labelled_rows("when", describe_times(job), width - 2)
    rows += labelled_rows("policy", describe_policy(job.policy), width - 2, "weak")
    if job.command:
        rows += labelled_rows("command", job.command, width - 2, "weak")
    return [*rows, [], *job_lines(job, width), [], *_end_rows(job, width), *_log_end_rows(job, width)]


def describe_times(job: JobSnapshot) -> str:
    """`queued 11-22 12:30, began 12:31, ended 12:40, ran 9 m in 2 tries`"""
    parts = [f"queued {format_time(job.queued_at).strip()}"] if job.queued_at else []
    if job.started_at is not None:
        parts.append(f"began {format_clock(job.started_at)}")
    if job.ended_at is not None and job.state.is_end:
        parts.append(f"ended {format_time(job.ended_at).strip()}")
    if job.ran_seconds and not job.state.is_running:
        tries = f" in {job.attempt} tries" if job.attempt > 1 else ""
        parts.append(f"ran {format_duration(job.ran_seconds)}{tries}")
    elif job.attempt > 1:
        parts.append(f"try {job.attempt}")
    return ", ".join(parts)


def describe_policy(policy: JobPolicy) -> str:
    """`conflicts: ask · 5 retries · at most 20 MB/s`"""
    parts = [f"conflicts: {str(policy.conflicts).replace('-', ' ')}"]
    parts.append(
        f"{policy.retries} {'retry' if policy.retries == 1 else 'retries'}" if policy.retries else "no retries"
    )
    if policy.bandwidth is not None:
        parts.append(f"at most {format_rate(policy.bandwidth)}")
    if policy.deadline is not None:
        parts.append(f"at most {format_duration(policy.deadline)} of running")
    return " · ".join(parts)


def log_rows(job: JobSnapshot, width: int) -> list[list[Cell]]:
    """All of the log that is kept, the newest line first."""
    rows: list[list[Cell]] = []
    for line in reversed(job.log):
        rows += labelled_rows(format_clock(line.at), line.text, width - 2)
    return rows or [[(" Nothing was written down yet.", "weak")]]


def mark_row(mark: ItemMark, width: int) -> list[Cell]:
    """What became of one item; detail and time where there is room."""
    style = "" if mark.is_good else "damaged"
    outcome = pad_to(cut_end(escape_for_display(mark.outcome), OUTCOME_WIDTH), OUTCOME_WIDTH)
    size = fit_right(format_size(mark.size) if mark.size is not None else "", SIZE_WIDTH)
    evidence = pad_to(cut_end(escape_for_display(mark.evidence), EVIDENCE_WIDTH), EVIDENCE_WIDTH)
    clock = format_clock(mark.at) if mark.at else ""
    tail = f"{size}  {evidence} {clock.rjust(5)} "
    if not mark.is_good and width < ROOM_FOR_DETAIL:
        tail = ""  # the reason needs the room
    detail = escape_for_display(mark.detail)
    room = max(12, width - 4 - OUTCOME_WIDTH - len(tail))
    if detail and (width >= ROOM_FOR_DETAIL or not mark.is_good):
        name_room = max(12, room - min(len(detail) + 2, room // 2))
        name = pad_to(cut_middle(escape_for_display(mark.item), name_room), name_room)
        name += pad_to(cut_end(f"  {detail}", room - name_room), room - name_room)
    else:
        name = pad_to(cut_middle(escape_for_display(mark.item), room), room)
    return [(f" {'✓' if mark.is_good else '✗'} {outcome} ", style or "proven"), (name, ""), (tail, "weak")]


def items_heading(count: int, *, only_findings: bool) -> str:
    return (
        f"{format_count(count, 'item')} that {'needs' if count == 1 else 'need'} a look"
        if only_findings
        else (f"{format_count(count, 'item')}, each with what became of it")
    )


def _end_rows(job: JobSnapshot, width: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    if job.state.is_end:
        bad = job.state in (JobState.FAILED, JobState.FINDINGS)
        rows += labelled_rows("end", job.message or str(job.state), width - 2, "damaged" if bad else "")
        rows += labelled_rows("what to do", job.hint, width - 2) if job.hint else []
    else:
        rows += labelled_rows("now", describe_now(job), width - 2)
    count, draw = job_findings(job, width)
    if count:
        heading = f"Findings ({len(job.findings):,})" if job.findings else f"Findings so far ({job.failed_count:,})"
        rows += [[], [(f" {heading}", "heading")], *(draw(index) for index in range(min(count, FINDINGS_SHOWN)))]
    return rows


def _log_end_rows(job: JobSnapshot, width: int) -> list[list[Cell]]:
    """The newest lines of the log, in their order."""
    rows: list[list[Cell]] = [[], [(" Log", "heading")]]
    for line in job.log[-LOG_SHOWN:]:
        rows += labelled_rows(format_clock(line.at), line.text, width - 2)
    more = len(job.log) - LOG_SHOWN
    return [*rows, [(f" {format_count(more, 'earlier line')}: l", "weak")]] if more > 0 else rows
