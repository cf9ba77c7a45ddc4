"""A verification as it runs: how far it is, what was found, and at its end the one sentence that may be said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from textual.widget import Widget

from archive_tui.archives.datasets.fetching import FetchReceipt
from archive_tui.integrity.report import IntegrityReport
from archive_tui.jobs.job import JobSnapshot, JobSpec, JobState
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count
from archive_tui.tui.actions.page_actions import ROWS, VERIFY
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.findings import LEGEND, draw_cell_map, failed_item_row, finding_detail, finding_row
from archive_tui.tui.lines.progress_lines import STATE_LOOKS, phase_lines, state_cells
from archive_tui.tui.lines.receipts import report_json, report_text, save_text
from archive_tui.tui.lines.times import format_clock
from archive_tui.tui.screens.page import Page
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import Line, LineView
from archive_tui.tui.widgets.row_list import RowList

MAP_HEIGHT = 5
FEWEST_FILES_MAPPED = 2


class VerifyScreen(Page):
    """Watches one job; it may be left at any time, the job goes on. `repeat` makes the job that does it again."""

    action_groups: ClassVar[tuple[str, ...]] = (VERIFY, ROWS)

    def __init__(self, job_id: int, services: Services, repeat: Callable[[], JobSpec] | None = None) -> None:
        super().__init__(services)
        self.job_id = job_id
        self._repeat = repeat
        self._map = LineView(id="verify-map")
        self._totals = LineView(id="verify-totals")
        self._rule = LineView(id="verify-rule", classes="one-line")
        self._findings = RowList(id="verify-findings")
        self._detail = LineView(id="verify-detail")

    def compose_body(self) -> Iterable[Widget]:
        yield self._map
        yield self._totals
        yield self._rule
        yield self._findings
        yield self._detail

    @property
    def job(self) -> JobSnapshot:
        job = self.services.engine.get(self.job_id)
        assert job is not None, "the engine forgets no job"
        return job

    @property
    def report(self) -> IntegrityReport | None:
        result = self.job.result
        if isinstance(result, FetchReceipt):
            return result.report
        return result if isinstance(result, IntegrityReport) else None

    @property
    def command_line(self) -> str:
        return self.job.command

    def is_live(self) -> bool:
        return not self.job.state.is_end

    def title_cells(self) -> tuple[str, list[Cell]]:
        job = self.job
        began = format_clock(job.started_at) if job.started_at is not None else ""
        phase = job.current_phase
        if job.ended_at is not None:
            until = f" → {format_clock(job.ended_at)}"
        elif phase is not None and phase.eta is not None and job.started_at is not None:
            until = f" → ~{format_clock(job.started_at + phase.seconds + phase.eta)}"
        else:
            until = ""
        title = f"{job.title[:1].upper()}{job.title[1:]}   {job.source}"
        return escape_for_display(title), [(f"{began}{until} ", "")]

    # What is shown

    def draw(self) -> None:
        job = self.job
        phase = job.current_phase
        width = self.size.width
        self._draw_map(self._map_lines(job, phase, width))
        self._totals.show(self._total_lines(job, phase, width))
        count = len(job.findings) or job.failed_count
        found = format_count(count, "finding") if count else "no findings so far" if self.is_live() else "no findings"
        self._rule.show([[(f"─ {found} ", "frame"), ("─" * max(0, width - len(found) - 3), "frame")]])
        self._draw_findings(job, width)
        self._draw_detail(job, width)

    def _draw_map(self, lines: list[Line]) -> None:
        if self._map.styles.height is None or self._map.size.height != len(lines):
            self._map.styles.height = len(lines)
        self._map.show(lines)

    def _map_lines(self, job: JobSnapshot, phase: PhaseProgress | None, width: int) -> list[Line]:
        total = phase.items_total if phase is not None else None
        if phase is None or total is None or total < FEWEST_FILES_MAPPED:
            return []
        is_running = job.state in (JobState.RUNNING, JobState.STOPPING)
        drawn = draw_cell_map(
            total, phase.items_done, job.failed_items, width=width - 2, height=MAP_HEIGHT, is_running=is_running
        )
        per_cell = f" cell: {format_count(drawn.items_per_cell, 'file')}  "
        return [*([(" ", ""), *row] for row in drawn.rows), [(per_cell, "weak"), *LEGEND]]

    def _total_lines(self, job: JobSnapshot, phase: PhaseProgress | None, width: int) -> list[Line]:
        lines: list[Line] = [[]]
        lines += phase_lines(phase, width) if phase is not None else [[], []]
        glyph, style = STATE_LOOKS[job.state]
        if job.state.is_end:
            lines.append([(f" {glyph} {escape_for_display(job.message)}", style)])
            lines.append([(f"   {escape_for_display(self._second_sentence(job))}", "weak")])
        else:
            lines.append([(" ", ""), *state_cells(job)])
        return lines

    def _second_sentence(self, job: JobSnapshot) -> str:
        report = self.report
        if job.hint:
            return job.hint
        return f"Proven: {report.proven}." if report is not None and job.state is JobState.VERIFIED else ""

    def _draw_findings(self, job: JobSnapshot, width: int) -> None:
        if job.findings:
            findings = job.findings
            self._findings.show_drawn_rows(len(findings), lambda index: finding_row(findings[index], width))
        else:
            failed = job.failed_items
            self._findings.show_drawn_rows(len(failed), lambda index: failed_item_row(failed[index], width))

    def _draw_detail(self, job: JobSnapshot, width: int) -> None:
        is_open = self._detail.has_class("-open") and bool(job.findings)
        if is_open:
            self._detail.show(finding_detail(job.findings[self._findings.cursor], width - 2))

    # What can be done

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("verify.")
        job = self.job
        if word == "stop":
            return job.state in (JobState.QUEUED, JobState.RUNNING)
        if word in ("export", "export-json"):
            return self.report is not None
        if word == "again":
            return job.state.is_end and self._repeat is not None
        return bool(job.findings) if word == "detail" else bool(job.command) if word == "copy" else True

    def do_verify_stop(self) -> None:
        self.services.engine.cancel(self.job_id)

    def do_verify_again(self) -> None:
        if self._repeat is not None:
            self.job_id = self.services.engine.submit(self._repeat())
            self._detail.remove_class("-open")

    def do_verify_detail(self) -> None:
        self._detail.toggle_class("-open")
        self.call_after_refresh(self.update_page)

    def do_verify_copy(self) -> None:
        self.app.copy_to_clipboard(self.job.command)
        self.say(escape_for_display(f"Copied: {self.job.command}"))

    def do_verify_export(self) -> None:
        self._ask_export("txt", report_text)

    def do_verify_export_json(self) -> None:
        self._ask_export("json", report_json)

    def _ask_export(self, ending: str, write: Callable[[IntegrityReport], str]) -> None:
        report = self.report
        if report is None:
            return
        name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in self.job.title)
        self.ask_text(
            "Save the report as", str(Path.cwd() / f"{name}.{ending}"), lambda path: self._save(path, write(report))
        )

    def _save(self, path: str, text: str) -> None:
        self.tasks.start("save", lambda stop: save_text(Path(path).expanduser(), text), self._saved)

    def _saved(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.say_error(outcome.error)
        else:
            self.say(f"Saved: {escape_for_display(str(outcome.value))}")

    def do_verify_leave(self) -> None:
        if self._detail.has_class("-open"):
            self.do_verify_detail()
        else:
            self.dismiss()

    def do_row_up(self) -> None:
        self._findings.move_cursor(-1)

    def do_row_down(self) -> None:
        self._findings.move_cursor(1)

    def do_row_page_up(self) -> None:
        self._findings.move_page(-1)

    def do_row_page_down(self) -> None:
        self._findings.move_page(1)

    def do_row_first(self) -> None:
        self._findings.move_to_end(is_last=False)

    def do_row_last(self) -> None:
        self._findings.move_to_end(is_last=True)
