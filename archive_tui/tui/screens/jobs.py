"""All jobs of this session: what runs, how far it is, and how the others have ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.containers import Horizontal
from textual.widget import Widget

from archive_tui.jobs.job import JobSnapshot, JobState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_rate, format_span
from archive_tui.tui.actions.page_actions import JOBS, ROWS
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell, cut_middle, pad_to
from archive_tui.tui.lines.progress_lines import PHASE_STATES, STATE_LOOKS, bar_cells, format_percent, job_fraction
from archive_tui.tui.lines.times import format_clock
from archive_tui.tui.screens.job_detail import JobDetailScreen
from archive_tui.tui.screens.page import Page
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.line_view import Line, LineView
from archive_tui.tui.widgets.row_list import RowList

FIGURES_WIDTH = 35
STATE_WIDTH = 16
BAR_WIDTH = 8
NOTHING_YET: Sequence[Line] = (
    (("   Nothing has been started yet. In the panes", ""),),
    (),
    (("   P   publishes a folder,", ""),),
    (("   F5  publishes or fetches, by direction,", ""),),
    (("   F6  verifies a folder or a dataset.", ""),),
)


class JobsScreen(Page):
    """The figures that change stand in a widget of their own: a tick sends them, and not the names beside them."""

    action_groups: ClassVar[tuple[str, ...]] = (JOBS, ROWS)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._head = LineView(id="jobs-head", classes="one-line")
        self._names = RowList(id="jobs-names")
        self._figures = LineView(id="jobs-figures")

    def compose_body(self) -> Iterable[Widget]:
        yield self._head
        with Horizontal(id="jobs-rows"):
            yield self._names
            yield self._figures

    @property
    def jobs(self) -> list[JobSnapshot]:
        return arrange_jobs(self.services.engine.snapshot())

    @property
    def chosen(self) -> JobSnapshot | None:
        jobs = self.jobs
        return jobs[min(self._names.cursor, len(jobs) - 1)] if jobs else None

    @property
    def command_line(self) -> str:
        return self.chosen.command if self.chosen is not None else ""

    def is_live(self) -> bool:
        return self.services.engine.is_busy

    def title_cells(self) -> tuple[str, list[Cell]]:
        jobs = self.services.engine.snapshot()
        running = sum(job.state in (JobState.RUNNING, JobState.STOPPING) for job in jobs)
        waiting = sum(job.state is JobState.QUEUED for job in jobs)
        return "Jobs", [(f"{running} running  {waiting} waiting  {len(jobs) - running - waiting} ended ", "")]

    def draw(self) -> None:
        jobs = self.jobs
        width = max(20, self.size.width - FIGURES_WIDTH)
        head = f"   #  {'what'.ljust(width - 6 - STATE_WIDTH)}{'state'.ljust(STATE_WIDTH)}"
        self._head.show([[(head + f"{' done'.ljust(BAR_WIDTH + 7)}{'rate'.rjust(9)}{'left'.rjust(8)}", "weak")]])
        if not jobs:
            self._head.show([])
            self._names.show_text(NOTHING_YET)
            self._figures.show([])
            return
        self._names.show_drawn_rows(len(jobs), lambda index: name_cells(jobs[index], width))
        self._draw_figures(jobs)

    def _draw_figures(self, jobs: list[JobSnapshot]) -> None:
        first, last = self._names.window
        self._figures.show([figure_cells(job) for job in jobs[first:last]])

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("jobs.")
        job = self.chosen
        if word == "cancel":
            return job is not None and job.state in (JobState.QUEUED, JobState.RUNNING)
        if word == "receipt":
            return job is not None and job.result is not None
        return bool(self.command_line) if word == "copy" else word != "detail" or job is not None

    def do_jobs_cancel(self) -> None:
        if self.chosen is not None:
            self.services.engine.cancel(self.chosen.id)

    def do_jobs_detail(self) -> None:
        if self.chosen is not None:
            self.app.push_screen(JobDetailScreen(self.chosen.id, self.services))

    def do_jobs_receipt(self) -> None:
        if self.chosen is not None:
            self.app.push_screen(JobDetailScreen(self.chosen.id, self.services, only_receipt=True))

    def do_jobs_copy(self) -> None:
        self.app.copy_to_clipboard(self.command_line)
        self.say(escape_for_display(f"Copied: {self.command_line}"))

    def do_jobs_leave(self) -> None:
        self.dismiss()

    def do_row_up(self) -> None:
        self._names.move_cursor(-1)

    def do_row_down(self) -> None:
        self._names.move_cursor(1)

    def do_row_page_up(self) -> None:
        self._names.move_page(-1)

    def do_row_page_down(self) -> None:
        self._names.move_page(1)

    def do_row_first(self) -> None:
        self._names.move_to_end(is_last=False)

    def do_row_last(self) -> None:
        self._names.move_to_end(is_last=True)


def arrange_jobs(jobs: Iterable[JobSnapshot]) -> list[JobSnapshot]:
    """What runs or waits comes first, in its order; then what has ended, the newest end first."""
    return sorted(jobs, key=lambda job: (job.state.is_end, -(job.ended_at or 0.0), job.id))


def short_state(job: JobSnapshot) -> str:
    """The state in at most fourteen letters."""
    if job.state is JobState.FINDINGS:
        count = len(job.findings) or job.failed_count
        return f"{count:,} finding{'' if count == 1 else 's'}"
    if job.state is JobState.COPIED:
        return "not verified"
    if job.state is JobState.RUNNING and job.current_phase is not None:
        return PHASE_STATES.get(job.current_phase.phase, str(job.state))
    return str(job.state)


def name_cells(job: JobSnapshot, width: int) -> list[Cell]:
    glyph, style = STATE_LOOKS[job.state]
    room = max(8, width - 6 - STATE_WIDTH)
    name = pad_to(cut_middle(escape_for_display(job.title), room - 1), room)
    return [(f"{job.id:>4}  {name}", ""), (f"{glyph} {short_state(job)}".ljust(STATE_WIDTH), style)]


def figure_cells(job: JobSnapshot) -> list[Cell]:
    if job.state.is_end:
        took = job.ended_at - job.started_at if job.ended_at is not None and job.started_at is not None else 0.0
        ended = f"{format_clock(job.ended_at)}" if job.ended_at is not None else ""
        return [(f" ended {ended}, took {format_span(took)}", "weak")]
    phase = job.current_phase
    if phase is None or job.state is JobState.QUEUED:
        return []
    figures = f"{format_percent(job_fraction(job)).rjust(5)} {format_rate(phase.rate).rjust(9)}"
    left = format_span(phase.eta) if phase.eta is not None else ""
    return [(" ", ""), *bar_cells(job_fraction(job), BAR_WIDTH), (f"{figures}{left.rjust(8)}", "")]
