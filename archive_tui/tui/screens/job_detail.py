"""One job in full: from where to where, how far, what was found, what it said, and its receipt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from archive_tui.archives.datasets.publishing import PublishReceipt
from archive_tui.jobs.job import JobSnapshot, JobState
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.page_actions import JOB, ROWS
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.findings import job_findings
from archive_tui.tui.lines.progress_lines import job_lines, state_cells
from archive_tui.tui.lines.receipts import receipt_rows, result_items
from archive_tui.tui.lines.text_rows import labelled_rows
from archive_tui.tui.lines.times import format_clock
from archive_tui.tui.screens.page import Page
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.row_list import RowList

FINDINGS_SHOWN = 200


class JobDetailScreen(Page):
    action_groups: ClassVar[tuple[str, ...]] = (JOB, ROWS)

    def __init__(self, job_id: int, services: Services, *, only_receipt: bool = False) -> None:
        super().__init__(services)
        self.job_id = job_id
        self._only_receipt = only_receipt
        self._rows = RowList(id="job-rows", has_cursor=False)

    def compose_body(self) -> Iterable[Widget]:
        yield self._rows

    @property
    def job(self) -> JobSnapshot:
        job = self.services.engine.get(self.job_id)
        assert job is not None, "the engine forgets no job"
        return job

    @property
    def command_line(self) -> str:
        return self.job.command

    def is_live(self) -> bool:
        return not self.job.state.is_end

    def title_cells(self) -> tuple[str, list[Cell]]:
        return escape_for_display(f"Job {self.job.id}: {self.job.title}"), [*state_cells(self.job), (" ", "")]

    def draw(self) -> None:
        job, width = self.job, self.size.width
        if self._only_receipt:
            self._rows.show_rows(self._receipt_rows(job, width - 2))
        else:
            self._rows.show_rows([*_head_rows(job, width), *_result_rows(job, width), *_log_rows(job, width)])

    def _receipt_rows(self, job: JobSnapshot, width: int) -> list[list[Cell]]:
        if isinstance(job.result, PublishReceipt):
            storage_name = job.destination.partition(":")[0]
            return receipt_rows(job.result, job, storage_name, self.services.settings.path, width)
        rows: list[list[Cell]] = [[], *labelled_rows("job", job.title, width, "heading")]
        for label, text, style in result_items(job.result, job.message):
            rows += labelled_rows(label, text, width, style)
        return [*rows, *labelled_rows("command", job.command, width, "weak")]

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("job.")
        if word == "cancel":
            return self.job.state in (JobState.QUEUED, JobState.RUNNING)
        if word == "receipt":
            return self.job.result is not None and not self._only_receipt
        return bool(self.job.command) if word == "copy" else True

    def do_job_cancel(self) -> None:
        self.services.engine.cancel(self.job_id)

    def do_job_receipt(self) -> None:
        self._only_receipt = True

    def do_job_copy(self) -> None:
        self.app.copy_to_clipboard(self.job.command)
        self.say(escape_for_display(f"Copied: {self.job.command}"))

    def do_job_leave(self) -> None:
        self.dismiss()

    def do_row_up(self) -> None:
        self._rows.move_cursor(-1)

    def do_row_down(self) -> None:
        self._rows.move_cursor(1)

    def do_row_page_up(self) -> None:
        self._rows.move_page(-1)

    def do_row_page_down(self) -> None:
        self._rows.move_page(1)

    def do_row_first(self) -> None:
        self._rows.move_to_end(is_last=False)

    def do_row_last(self) -> None:
        self._rows.move_to_end(is_last=True)


def _head_rows(job: JobSnapshot, width: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = [[], *labelled_rows("from", job.source, width - 2)]
    if job.destination:
        rows += labelled_rows("to", job.destination, width - 2)
    if job.command:
        rows += labelled_rows("command", job.command, width - 2, "weak")
    return [*rows, [], *job_lines(job, width), []]


def _result_rows(job: JobSnapshot, width: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    if job.message:
        bad = job.state in (JobState.FAILED, JobState.FINDINGS)
        rows += labelled_rows("end", job.message, width - 2, "damaged" if bad else "")
    if job.hint:
        rows += labelled_rows("what to do", job.hint, width - 2)
    count, draw = job_findings(job, width)
    if count:
        heading = f"Findings ({len(job.findings):,})" if job.findings else f"Findings so far ({job.failed_count:,})"
        rows += [[], [(f" {heading}", "heading")], *(draw(index) for index in range(min(count, FINDINGS_SHOWN)))]
    return rows


def _log_rows(job: JobSnapshot, width: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = [[], [(" Log", "heading")]]
    for line in job.log:
        rows += labelled_rows(format_clock(line.at), line.text, width - 2)
    return rows
