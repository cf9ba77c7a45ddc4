"""One job in full: how far each phase is, what was found, what became of each item, and what it said."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from archive_tui.jobs.job import JobSnapshot
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.page_actions import JOB, ROWS
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell, cut_end
from archive_tui.tui.lines.job_page_lines import items_heading, log_rows, mark_row, overview_rows
from archive_tui.tui.lines.job_rows import state_look, state_word
from archive_tui.tui.screens.jobs.job_page import JobPage
from archive_tui.tui.screens.jobs.mark_pages import MarkPages
from archive_tui.tui.screens.row_moves import RowMoves
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.line_view import Line, LineView
from archive_tui.tui.widgets.row_list import RowList

OVERVIEW, ITEMS, LOG = "overview", "items", "log"
COUNTED_AGAIN = 1.0
MANY_COUNTED_AGAIN = 15.0
"""Seconds after which the items of a running job are counted again; and where there are MANY."""

MANY = 50_000


class JobScreen(RowMoves, JobPage):
    """`job` as it was seen last; the feed brings the newer ones. Three views: overview, items, log."""

    action_groups: ClassVar[tuple[str, ...]] = (JOB, ROWS)

    def __init__(self, services: Services, job: JobSnapshot) -> None:
        super().__init__(services)
        self.job_id = job.id
        self._seen_first = job
        self._view = OVERVIEW
        self._heading = LineView(id="job-heading", classes="one-line")
        self._rows = RowList(id="job-rows", has_cursor=False)
        self._marks = MarkPages(services.feed.engine, job.id, self.tasks, self.update_page)
        self._counted_at = 0.0

    def compose_body(self) -> Iterable[Widget]:
        yield self._heading
        yield self._rows

    def on_mount(self) -> None:
        self.follow_job(self.job_id)

    @property
    def chosen(self) -> JobSnapshot:
        return self.services.feed.get(self.job_id) or self._seen_first

    def title_cells(self) -> tuple[str, list[Cell]]:
        glyph, style = state_look(self.chosen)
        word = str(self.chosen.state) if self.chosen.state.is_end else state_word(self.chosen)
        return escape_for_display(f"Job {self.job_id}: {self.chosen.title}"), [(f"{glyph} {word} ", style)]

    def draw(self) -> None:
        width = self.size.width
        self.set_class(self._view != OVERVIEW, "-listing")
        if self._view == ITEMS:
            self._draw_items(width)
        elif self._view == LOG:
            self._heading.show([[(f" Log, the newest line first ({len(self.chosen.log)})", "heading")]])
            self._rows.show_rows(log_rows(self.chosen, width))
        else:
            self._rows.show_rows(overview_rows(self.chosen, width))

    def _draw_items(self, width: int) -> None:
        marks = self._marks
        now = time.monotonic()
        pause = MANY_COUNTED_AGAIN if marks.count > MANY else COUNTED_AGAIN
        if self.chosen.state.is_running and now - self._counted_at >= pause:
            self._counted_at = now
            marks.refresh()
        heading = marks.error or items_heading(marks.count, only_findings=marks.only_findings)
        self._heading.show(
            [[(cut_end(f" {escape_for_display(heading)}", width), "damaged" if marks.error else "heading")]]
        )
        if not marks.count:
            nothing = " Nothing here." if marks.only_findings else " Nothing was written down of single items yet."
            self._rows.show_text([[(nothing, "weak")]])
            return

        def draw(index: int) -> Line:
            mark = marks.find(index)
            return [(" …", "weak")] if mark is None else mark_row(mark, width)

        self._rows.show_drawn_rows(marks.count, draw)

    # What can be done

    def offers(self, action: Action) -> bool:
        word = action.id.partition(".")[2]
        if action.id == "job.findings":
            return self._view == ITEMS
        if action.id in ("job.items", "job.log"):
            return self._view != word
        if action.id == "job.overview":
            return self._view == ITEMS
        if action.id == "job.close-log":
            return self._view == LOG
        return super().offers(action)

    def _show_view(self, view: str) -> None:
        self._view = view
        self._rows.move_to_end(is_last=False)

    def do_job_items(self) -> None:
        self._show_view(ITEMS)
        self._marks.show(only_findings=False)

    def do_job_findings(self) -> None:
        self._rows.move_to_end(is_last=False)
        self._marks.show(only_findings=not self._marks.only_findings)

    def do_job_log(self) -> None:
        self._show_view(LOG)

    def do_job_overview(self) -> None:
        self._show_view(OVERVIEW)

    def do_job_close_log(self) -> None:
        self._show_view(OVERVIEW)

    def do_job_pause(self) -> None:
        self.run_job_word("pause")

    def do_job_resume(self) -> None:
        self.run_job_word("resume")

    def do_job_cancel(self) -> None:
        self.run_job_word("cancel")

    def do_job_retry(self) -> None:
        self.run_job_word("retry")

    def do_job_copy(self) -> None:
        self.run_job_word("copy")

    def do_job_decide(self) -> None:
        self.open_tray(self.job_id)

    def do_job_receipt(self) -> None:
        self.open_receipt()

    def do_job_leave(self) -> None:
        if self._view == OVERVIEW:
            self.dismiss()
        else:
            self._show_view(OVERVIEW)

    @property
    def moving_rows(self) -> RowList:
        return self._rows
