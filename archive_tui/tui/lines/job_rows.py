"""The list of jobs as lines of text: their order, a row for each, the totals, and what there is to say of one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_rate, format_span
from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle, pad_to
from archive_tui.tui.lines.progress_lines import PHASE_STATES, STATE_LOOKS, bar_cells, format_percent, job_fraction
from archive_tui.tui.lines.sentences import join_sentences
from archive_tui.tui.lines.times import format_clock, format_time

FIGURES_WIDTH = 32
NARROW_FIGURES_WIDTH = 14
NARROW = 72
"""Cells of a list below which bar and rate give way to the names."""

STATE_WIDTH = 16
NUMBER_WIDTH = 6
BAR_WIDTH = 8
MOST_COUNTED = 999

ELSEWHERE = "▹"
"""The glyph of a job that another process runs."""

_STOPPING_WORDS = {
    JobState.PAUSED: "pausing",
    JobState.CANCELLED: "cancelling",
    JobState.QUEUED: "letting go",
}


def arrange_jobs(jobs: Iterable[JobSnapshot]) -> list[JobSnapshot]:
    """What runs comes first, then the queue in its order; then what has ended, the newest end first."""
    return sorted(
        jobs,
        key=lambda job: (
            job.state.is_end,
            not job.state.is_running,
            -(job.ended_at or 0.0) if job.state.is_end else job.position,
            job.id,
        ),
    )


def state_word(job: JobSnapshot) -> str:
    """The state in at most fourteen cells."""
    if job.state is JobState.FINDINGS:
        return _capped(len(job.findings) or job.failed_count, "finding")
    if job.state is JobState.UNDECIDED:
        return _capped(job.questions, "decision") if job.questions else str(job.state)
    if job.state is JobState.COPIED:
        return "not verified"
    if job.state is JobState.WAITING:
        return f"retry in {format_span(job.retry_in)}" if job.retry_in is not None else "retries soon"
    if job.state is JobState.STOPPING and job.stopping_for is not None:
        return _STOPPING_WORDS.get(job.stopping_for, str(job.state))
    if job.state is not JobState.RUNNING:
        return str(job.state)
    word = PHASE_STATES.get(job.current_phase.phase, "running") if job.current_phase is not None else "running"
    return f"{word} ?{job.questions}" if 0 < job.questions <= MOST_COUNTED else word


def state_look(job: JobSnapshot) -> tuple[str, str]:
    """Glyph and style; what another process runs is told by its glyph."""
    glyph, style = STATE_LOOKS[job.state]
    return (ELSEWHERE if job.state.is_running and not job.is_here else glyph), style


def figures_width(width: int) -> int:
    """Cells of the columns of figures, in a list of that width."""
    return NARROW_FIGURES_WIDTH if width < NARROW else FIGURES_WIDTH


def head_cells(width: int) -> list[Cell]:
    """The names of the columns; `width` is that of the whole list."""
    name_width = width - figures_width(width) - NUMBER_WIDTH - STATE_WIDTH
    figures = f" {'done'.ljust(BAR_WIDTH + 5)}{'rate'.rjust(9)}{'left'.rjust(7)}"
    if width < NARROW:
        figures = f" {'done'.rjust(5)}{'left'.rjust(7)}"
    return [(f"   #  {pad_to('what', name_width)}{'state'.ljust(STATE_WIDTH)}{figures}", "weak")]


def name_cells(job: JobSnapshot, width: int) -> list[Cell]:
    """Number, title and state; `width` is that of the list without its figures."""
    glyph, style = state_look(job)
    number = f"{job.id:>4}  "
    room = max(8, width - len(number) - STATE_WIDTH)
    name = pad_to(_cut_title(escape_for_display(job.title), room - 1), room)
    return [(f"{number}{name}", ""), (pad_to(f"{glyph} {state_word(job)}", STATE_WIDTH), style)]


def figure_cells(job: JobSnapshot, now: float | None = None, *, is_narrow: bool = False) -> list[Cell]:
    """How far, how fast, how long still; of what has ended, when it did and how long it took. `is_narrow` leaves out
    what is best missed."""
    if job.state.is_end:
        return [(f" {_format_end(job, now, is_narrow=is_narrow)}", "weak")]
    phase = job.current_phase
    if phase is None:
        return []
    rate, eta = (phase.rate, phase.eta) if job.state.is_running else (None, None)
    return _figures(job_fraction(job), rate, eta, is_narrow=is_narrow)


@dataclass(frozen=True, slots=True)
class Totals:
    """What all running jobs do together. `rate` in bytes per second, `left` in seconds: of the one that takes longest;
    None: not known."""

    running: int = 0
    queued: int = 0
    paused: int = 0
    undecided: int = 0
    ended: int = 0
    fraction: float | None = None
    rate: float | None = None
    left: float | None = None


def add_up(jobs: Iterable[JobSnapshot]) -> Totals:
    listed = list(jobs)
    running = [job for job in listed if job.state.is_running]
    phases = [phase for job in running if (phase := job.current_phase) is not None]
    whole = sum(phase.bytes_total or 0 for phase in phases)
    done = sum(min(phase.bytes_done, phase.bytes_total) for phase in phases if phase.bytes_total)
    rates = [phase.rate for phase in phases if phase.rate is not None]
    return Totals(
        running=len(running),
        queued=sum(job.state in (JobState.QUEUED, JobState.WAITING) for job in listed),
        paused=sum(job.state is JobState.PAUSED for job in listed),
        undecided=sum(
            job.state is JobState.UNDECIDED or (bool(job.questions) and not job.state.is_end) for job in listed
        ),
        ended=sum(job.state.is_end for job in listed),
        fraction=done / whole if whole else None,
        rate=sum(rates) if rates else None,
        left=max((phase.eta for phase in phases if phase.eta is not None), default=None),
    )


def count_words(totals: Totals) -> str:
    """`2 running  1 waiting  1 to decide`; what there is none of is left out, but for what runs."""
    parts = [f"{totals.running} running"]
    for count, word in (
        (totals.queued, "waiting"),
        (totals.paused, "paused"),
        (totals.undecided, "to decide"),
        (totals.ended, "ended"),
    ):
        if count:
            parts.append(f"{count} {word}")
    return "  ".join(parts)


def total_cells(totals: Totals, *, is_narrow: bool = False) -> list[Cell]:
    """The figures of all running jobs together, in the columns of the figures."""
    return _figures(totals.fraction, totals.rate, totals.left, is_narrow=is_narrow)


def about_lines(job: JobSnapshot, width: int) -> list[list[Cell]]:
    """Two lines on the job under the cursor: from where to where, and what there is to know. They do not change while
    it runs."""
    way = escape_for_display(f"{job.source} → {job.destination}" if job.destination else job.source)
    bad = job.state in (JobState.FAILED, JobState.FINDINGS)
    style = "damaged" if bad else "doubtful" if job.state in (JobState.UNDECIDED, JobState.WAITING) else "weak"
    sentence = cut_end(escape_for_display(describe_now(job)), width - 2)
    return [[(f" {cut_middle(way, width - 2)}", "")], [(f" {sentence}", style)]]


def describe_now(job: JobSnapshot) -> str:
    """What a job does, waits for, or has come to, in a sentence."""
    if job.state.is_end:
        return join_sentences(job.message, job.hint) or str(job.state)
    again = f", try {job.attempt}" if job.attempt > 1 else ""
    since = f" since {format_clock(job.started_at)}" if job.started_at is not None else ""
    asked = format_count(job.questions, "decision")
    open_questions = f"{asked} {'waits' if job.questions == 1 else 'wait'}: d" if job.questions else ""
    if job.state.is_running:
        where = "Runs here" if job.is_here else f"Runs in another process: {job.owner or 'unknown'}"
        return join_sentences(f"{where}{since}{again}.", open_questions)
    if job.state is JobState.QUEUED:
        return join_sentences("Waits for its turn.", job.message)
    if job.state is JobState.PAUSED:
        return join_sentences(job.message or "Paused.", "Space goes on with the rest.", open_questions)
    if job.state is JobState.UNDECIDED:
        return join_sentences(job.message, "d decides.")
    return join_sentences(job.message or "Waits to try again", f"It is tried again by itself{again}, r does so now.")


def _cut_title(title: str, width: int) -> str:
    """What is copied tells one job from another; where to stands below the list as well, so that gives way first."""
    what, to, where = title.rpartition(" to ")
    room = width - cell_len(what + to)
    if not to or room <= 2:
        return cut_middle(title, width)
    return what + to + (cut_middle(where, room) if "/" in where else cut_end(where, room))


def _figures(fraction: float | None, rate: float | None, left: float | None, *, is_narrow: bool) -> list[Cell]:
    span = format_span(left) if left is not None else ""
    if is_narrow:
        return [(f" {format_percent(fraction).rjust(5)}{span.rjust(7)}", "")]
    figures = f"{format_percent(fraction).rjust(5)}{format_rate(rate).rjust(9)}{span.rjust(7)}"
    return [(" ", ""), *bar_cells(fraction, BAR_WIDTH), (figures, "")]


def _format_end(job: JobSnapshot, now: float | None, *, is_narrow: bool) -> str:
    if job.ended_at is None:
        return "ended"
    now = time.time() if now is None else now
    is_today = time.localtime(now)[:3] == time.localtime(job.ended_at)[:3]
    ended = format_clock(job.ended_at) if is_today else format_time(job.ended_at, now).strip()
    if is_narrow:
        return ended
    return f"ended {ended}" + (f", took {format_span(job.ran_seconds)}" if job.ran_seconds else "")


def _capped(count: int, word: str) -> str:
    return format_count(count, word) if count <= MOST_COUNTED else f"{MOST_COUNTED}+ {word}s"
