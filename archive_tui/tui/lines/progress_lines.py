"""Progress as lines of text: what is done, of how much, how fast, how long still, and a bar. Pure functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from rich.cells import cell_len

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_number, format_rate, format_size, format_span
from archive_tui.tui.lines.cells import Cell, cut_end, pad_to

PHASE_WORDS = {
    "scan": "look",
    "pack": "read",
    "upload": "write",
    "check": "check",
    "unpack": "unpack",
    "verify": "verify",
    "hash": "hash",
    "test": "try",
    "ask": "ask",
    "archive": "store",
    "fetch": "fetch",
    "copy": "copy",
    "delete": "delete",
    "move": "move",
    "list": "list",
    "check in": "store",
    "check out": "fetch",
}

PHASE_STATES = {
    "scan": "looking",
    "pack": "reading",
    "upload": "writing",
    "check": "checking",
    "unpack": "unpacking",
    "verify": "verifying",
    "hash": "hashing",
    "test": "trying",
    "ask": "asking",
    "archive": "archiving",
    "fetch": "fetching",
    "copy": "copying",
    "delete": "deleting",
    "move": "moving",
    "list": "listing",
    "check in": "checking in",
    "check out": "checking out",
}

STATE_LOOKS = {
    JobState.QUEUED: ("·", "weak"),
    JobState.RUNNING: ("▸", "running"),
    JobState.STOPPING: ("▸", "doubtful"),
    JobState.PAUSED: ("‖", "doubtful"),
    JobState.WAITING: ("↻", "doubtful"),
    JobState.UNDECIDED: ("?", "doubtful"),
    JobState.VERIFIED: ("✓", "proven"),
    JobState.COPIED: ("◇", "doubtful"),
    JobState.FINISHED: ("·", ""),
    JobState.FINDINGS: ("✗", "damaged"),
    JobState.FAILED: ("✗", "damaged"),
    JobState.CANCELLED: ("○", "weak"),
}
"""A glyph and the name of a style for each state; the word itself always stands beside them."""

FILLED, OPEN = " ", "·"
"""A bar is blanks in reverse: one byte a cell, and it shows without colours."""


def bar_cells(fraction: float | None, width: int) -> list[Cell]:
    """Exactly `width` cells; None: the whole is not known, so nothing is filled."""
    filled = 0 if fraction is None else int(max(0.0, min(1.0, fraction)) * width)
    return [(FILLED * filled, "filled"), (OPEN * (width - filled), "weak")]


def format_percent(fraction: float | None) -> str:
    """Rounded down: 100 % is said only of what is done."""
    return "" if fraction is None else f"{int(fraction * 100)} %"


def phase_figures(phase: PhaseProgress) -> str:
    """`402 of 612 files · 744 MB of 1.2 GB · 61 MB/s · 8 s left`; what is not known is left out."""
    parts = []
    items_total = None if phase.items_done == phase.items_total else phase.items_total
    bytes_total = None if phase.bytes_done == phase.bytes_total else phase.bytes_total
    if phase.items_done or phase.items_total:
        word = "file" if (items_total or phase.items_done) == 1 else "files"
        parts.append(f"{_of(format_number(phase.items_done), items_total, format_number)} {word}")
    if phase.bytes_done or phase.bytes_total:
        parts.append(_of(format_size(phase.bytes_done), bytes_total, format_size))
    if phase.rate is not None:
        parts.append(format_rate(phase.rate))
    if phase.eta is not None:
        parts.append(f"{format_span(phase.eta)} left")
    elif phase.ended and parts and (phase.items_done or phase.bytes_done):
        parts.append(f"in {format_span(phase.seconds)}" if phase.seconds >= 1 else "at once")
    return " · ".join(parts)


def phase_lines(phase: PhaseProgress, width: int) -> list[list[Cell]]:
    """Two lines: the figures, which change often, and the bar, which does not."""
    word = pad_to(PHASE_WORDS.get(phase.phase, phase.phase), 7)
    percent = format_percent(phase.fraction).rjust(5)
    head = f" {word}{percent}  "
    text = phase_figures(phase)
    if cell_len(text) > width - cell_len(head):  # how long still says more than how fast
        text = phase_figures(dataclasses.replace(phase, rate=None))
    figures: list[Cell] = [(head, "heading"), (cut_end(text, width - cell_len(head)), "")]
    if phase.fraction is None:
        return [figures, []]
    return [figures, [(" " * 8, ""), *bar_cells(phase.fraction, max(10, width - 10))]]


def job_lines(job: JobSnapshot, width: int) -> list[list[Cell]]:
    """The phases of a job in the order in which data passes through them, two lines each."""
    lines: list[list[Cell]] = []
    order = list(PHASE_WORDS)
    for phase in sorted(job.phases, key=lambda phase: order.index(phase.phase) if phase.phase in order else len(order)):
        lines += phase_lines(phase if job.state.is_running or phase.ended else hold_still(phase), width)
    return lines


def hold_still(phase: PhaseProgress) -> PhaseProgress:
    """A phase of a job that does not run now: how fast it was says nothing any more."""
    return dataclasses.replace(phase, rate=None, eta=None)


def state_cells(job: JobSnapshot) -> list[Cell]:
    glyph, style = STATE_LOOKS[job.state]
    return [(f"{glyph} {job.state}", style)]


def job_fraction(job: JobSnapshot) -> float | None:
    phase = job.current_phase
    return phase.fraction if phase is not None else None


def _of(done: str, total: int | None, show: Callable[[int], str]) -> str:
    return done if total is None else f"{done} of {show(total)}"
