"""All jobs: what runs, here or in another process, what waits in which order, and how the others have ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.containers import Horizontal
from textual.widget import Widget

from archive_tui.jobs.job import JobSnapshot
from archive_tui.tui.actions.job_choices import find_choices
from archive_tui.tui.actions.page_actions import JOBS, ROWS
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.job_rows import (
    NARROW,
    about_lines,
    add_up,
    arrange_jobs,
    count_words,
    figure_cells,
    figures_width,
    head_cells,
    name_cells,
    total_cells,
)
from archive_tui.tui.screens.jobs.job_page import JobPage
from archive_tui.tui.screens.jobs.job_screen import JobScreen
from archive_tui.tui.screens.row_moves import RowMoves
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import Line, LineView
from archive_tui.tui.widgets.row_list import RowList

OLDER_AT_ONCE = 200
ENDED_ON_BOARD = 200
"""Ended jobs that the engine lists by itself; older ones have to be asked for."""

NOTHING_YET: Sequence[Line] = (
    (("   Nothing has been started yet. In the panes", ""),),
    (),
    (("   P   publishes a folder,", ""),),
    (("   F5  copies, archives or fetches,", ""),),
    (("   F6  verifies a folder or a dataset.", ""),),
)


class JobsScreen(RowMoves, JobPage):
    """The figures that change stand in widgets of their own: a tick sends them, and not the names beside them. The
    cursor stays on its job when the rows move."""

    action_groups: ClassVar[tuple[str, ...]] = (JOBS, ROWS)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._head = LineView(id="jobs-head", classes="one-line")
        self._total_words = LineView(id="jobs-total-words", classes="one-line")
        self._totals = LineView(id="jobs-totals", classes="one-line")
        self._names = RowList(id="jobs-names")
        self._figures = LineView(id="jobs-figures")
        self._about = LineView(id="jobs-about")
        self._older: tuple[JobSnapshot, ...] = ()
        self._chosen_id: int | None = None

    def compose_body(self) -> Iterable[Widget]:
        yield self._head
        with Horizontal(id="jobs-totals-line"):
            yield self._total_words
            yield self._totals
        with Horizontal(id="jobs-rows"):
            yield self._names
            yield self._figures
        yield self._about

    @property
    def jobs(self) -> list[JobSnapshot]:
        listed = self.services.feed.jobs
        known = {job.id for job in listed}
        return arrange_jobs((*listed, *(job for job in self._older if job.id not in known)))

    @property
    def chosen(self) -> JobSnapshot | None:
        jobs = self.jobs
        found = next((job for job in jobs if job.id == self._chosen_id), None)
        return found or (jobs[min(self._names.cursor, len(jobs) - 1)] if jobs else None)

    def title_cells(self) -> tuple[str, list[Cell]]:
        return "Jobs", [(f"{count_words(add_up(self.jobs))} ", "")]

    def draw(self) -> None:
        jobs = self.jobs
        if not jobs:
            self._head.show([])
            self._names.show_text(NOTHING_YET)
            self._figures.show([])
            self._about.show([])
            return
        width = self.size.width
        self._head.show([head_cells(width)])
        is_narrow = width < NARROW
        self.set_class(is_narrow, "-narrow")
        self._follow_chosen(jobs)
        self._names.show_drawn_rows(len(jobs), lambda index: name_cells(jobs[index], width - figures_width(width)))
        first, last = self._names.window
        self._figures.show([figure_cells(job, is_narrow=is_narrow) for job in jobs[first:last]])
        self._draw_totals(jobs)
        self._about.show([[("─" * width, "frame")], *about_lines(jobs[self._names.cursor], width)])

    def _draw_totals(self, jobs: list[JobSnapshot]) -> None:
        """One line more only where several run: of one, its own row says all."""
        totals = add_up(jobs)
        is_shown = totals.running > 1
        self.set_class(is_shown, "-several")
        self._total_words.show([[("      all that run", "weak")]] if is_shown else [])
        self._totals.show([total_cells(totals, is_narrow=self.size.width < NARROW)] if is_shown else [])

    def _follow_chosen(self, jobs: list[JobSnapshot]) -> None:
        """A key means the job that stood under the cursor when it was pressed, wherever that is by now."""
        ids = [job.id for job in jobs]
        if self._chosen_id in ids:
            self._names.cursor = ids.index(self._chosen_id)
        else:
            self._names.cursor = min(self._names.cursor, len(ids) - 1)
            self._chosen_id = ids[self._names.cursor]

    # What can be done

    def offers(self, action: Action) -> bool:
        word = action.id.partition(".")[2]
        if word in ("sooner", "later"):
            return "move" in find_choices(self.chosen)
        if word == "detail":
            return self.chosen is not None
        if word == "older":
            return sum(job.state.is_end for job in self.services.feed.jobs) >= ENDED_ON_BOARD
        return super().offers(action)

    def do_jobs_detail(self) -> None:
        if self.chosen is not None:
            self.app.push_screen(JobScreen(self.services, self.chosen))

    def do_jobs_pause(self) -> None:
        self.run_job_word("pause")

    def do_jobs_resume(self) -> None:
        self.run_job_word("resume")

    def do_jobs_cancel(self) -> None:
        self.run_job_word("cancel")

    def do_jobs_retry(self) -> None:
        self.run_job_word("retry")

    def do_jobs_copy(self) -> None:
        self.run_job_word("copy")

    def do_jobs_decide(self) -> None:
        self.open_tray(self.chosen.id if self.chosen is not None else None)

    def do_jobs_receipt(self) -> None:
        self.open_receipt()

    def do_jobs_sooner(self) -> None:
        self._move_job(up=True)

    def do_jobs_later(self) -> None:
        self._move_job(up=False)

    def _move_job(self, *, up: bool) -> None:
        job = self.chosen
        if job is not None:
            job_id = job.id
            self.services.feed.do(lambda engine: engine.move(job_id, up=up))

    def do_jobs_older(self) -> None:
        """The engine lists the newest ones; each time, more of the older are fetched."""
        ended = sum(job.state.is_end for job in self.jobs)
        engine = self.services.feed.engine
        self.tasks.start("older", lambda stop: tuple(engine.history(ended, OLDER_AT_ONCE)), self._show_older)

    def _show_older(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.say_error(outcome.error)
        elif not outcome.value:
            self.say("There are no older jobs.")
        else:
            self._older = (*self._older, *outcome.value)

    def do_jobs_leave(self) -> None:
        self.dismiss()

    # Moving

    def rows_moved(self) -> None:
        jobs = self.jobs
        if jobs:
            self._chosen_id = jobs[min(self._names.cursor, len(jobs) - 1)].id

    @property
    def moving_rows(self) -> RowList:
        return self._names
