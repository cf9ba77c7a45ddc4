"""A verification as it runs: how far it is, what was found, and at its end the one sentence that may be said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.widget import Widget

from archive_tui.integrity.report import IntegrityReport
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count
from archive_tui.tui.actions.page_actions import ROWS, VERIFY
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.findings import LEGEND, draw_cell_map, finding_detail, job_findings
from archive_tui.tui.lines.job_reports import Reported, report_json, report_of, report_text
from archive_tui.tui.lines.job_rows import describe_now, state_look, state_word
from archive_tui.tui.lines.progress_lines import STATE_LOOKS, hold_still, phase_lines, state_cells
from archive_tui.tui.lines.receipts import save_text
from archive_tui.tui.lines.sentences import VERIFICATIONS
from archive_tui.tui.lines.text_rows import wrap_words
from archive_tui.tui.lines.times import format_clock
from archive_tui.tui.screens.page import Page
from archive_tui.tui.screens.row_moves import RowMoves
from archive_tui.tui.services import Services
from archive_tui.tui.submitting import MakeRequest, submit_watched
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import Line, LineView
from archive_tui.tui.widgets.row_list import RowList

MAP_HEIGHT = 5
FEWEST_FILES_MAPPED = 2


class VerifyScreen(RowMoves, Page):
    """Watches one job; it may be left at any time, the job goes on. `repeat` describes the job that does it again, with
    `live` for whoever shows the lines."""

    action_groups: ClassVar[tuple[str, ...]] = (VERIFY, ROWS)

    def __init__(
        self,
        job_id: int,
        services: Services,
        repeat: MakeRequest | None = None,
        *,
        live: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(services)
        self.job_id = job_id
        self._repeat = repeat
        self._live = live
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

    def on_mount(self) -> None:
        self.follow_job(self.job_id)

    @property
    def job(self) -> JobSnapshot | None:
        """None for a moment, until it has been looked up."""
        return self.services.feed.get(self.job_id)

    @property
    def report(self) -> Reported | None:
        return report_of(self.job.result) if self.job is not None else None

    @property
    def command_line(self) -> str:
        return self.job.command if self.job is not None else ""

    def title_cells(self) -> tuple[str, list[Cell]]:
        job = self.job
        if job is None:
            return f"Job {self.job_id}", []
        times = _format_times(job)
        title = escape_for_display(f"{job.title[:1].upper()}{job.title[1:]}   {job.source}")
        to = escape_for_display(f" → {job.destination}") if job.destination else ""
        if to and cell_len(title + to) > self.size.width - len(times) - 3:
            title = escape_for_display(f"{job.title[:1].upper()}{job.title[1:]}  ")
        return title + to, [(times, "")]

    # What is shown

    def draw(self) -> None:
        job = self.job
        if job is None:
            return
        phase = job.current_phase
        if phase is not None and not (job.state.is_running or phase.ended):
            phase = hold_still(phase)
        width = self.size.width
        _show_all(self._map, self._map_lines(job, phase, width))
        _show_all(self._totals, self._total_lines(job, phase, width))
        count = len(job.findings) or job.failed_count
        found = format_count(count, "finding") if count else "no findings" if job.state.is_end else "no findings so far"
        self._rule.show([[(f"─ {found} ", "frame"), ("─" * max(0, width - len(found) - 3), "frame")]])
        self._findings.show_drawn_rows(*job_findings(job, width))
        self._draw_detail(job, width)

    def _map_lines(self, job: JobSnapshot, phase: PhaseProgress | None, width: int) -> list[Line]:
        total = phase.items_total if phase is not None else None
        if phase is None or total is None or total < FEWEST_FILES_MAPPED:
            return []
        drawn = draw_cell_map(
            total,
            phase.items_done,
            job.failed_items,
            width=width - 2,
            height=MAP_HEIGHT,
            is_running=job.state.is_running,
        )
        per_cell = f" cell: {format_count(drawn.items_per_cell, 'file')}  "
        return [*([(" ", ""), *row] for row in drawn.rows), [(per_cell, "weak"), *LEGEND]]

    def _total_lines(self, job: JobSnapshot, phase: PhaseProgress | None, width: int) -> list[Line]:
        lines: list[Line] = [[]]
        lines += phase_lines(phase, width) if phase is not None else [[], []]
        glyph, style = STATE_LOOKS[job.state]
        if job.state.is_end:
            first, *more = wrap_words(job.message, width - 4)
            lines += [[(f" {glyph} {first}", style)], *([(f"   {text}", style)] for text in more)]
            lines += [[(f"   {text}", "weak")] for text in wrap_words(self._second_sentence(job), width - 4)]
        elif job.state is JobState.RUNNING and job.is_here and not job.questions:
            lines.append([(" ", ""), *state_cells(job)])
        else:
            glyph, style = state_look(job)
            lines.append([(f" {glyph} {job.state if job.state is JobState.RUNNING else state_word(job)}", style)])
            lines += [[(f"   {text}", "weak")] for text in wrap_words(describe_now(job), width - 4)]
        return lines

    def _second_sentence(self, job: JobSnapshot) -> str:
        report = self.report
        if job.hint:
            return job.hint
        if isinstance(report, IntegrityReport) and job.state is JobState.VERIFIED:
            return f"Proven: {report.proven}."
        return ""

    def _draw_detail(self, job: JobSnapshot, width: int) -> None:
        is_open = self._detail.has_class("-open") and bool(job.findings)
        if is_open:
            self._detail.show(finding_detail(job.findings[self._findings.cursor], width - 2))

    # What can be done

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("verify.")
        job = self.job
        if job is None:
            return word == "leave" or action.group == ROWS
        if word in ("stop", "resume", "cancel", "decide", "again", "repeat", "retry"):
            return word in self._possible(job)
        if word in ("export", "export-json"):
            return self.report is not None
        return bool(job.findings) if word == "detail" else bool(job.command) if word == "copy" else True

    def _possible(self, job: JobSnapshot) -> set[str]:
        """What can be done with the job in its state."""
        words = set()
        if job.state in (JobState.QUEUED, JobState.RUNNING, JobState.WAITING):
            words |= {"stop", "cancel"} | ({"retry"} if job.state is JobState.WAITING else set())
        elif job.state in (JobState.PAUSED, JobState.UNDECIDED):
            words |= {"resume", "cancel"} if job.state is JobState.PAUSED else {"cancel"}
        elif job.state in (JobState.FAILED, JobState.CANCELLED):
            words.add("retry")
        elif job.state.is_end and self._repeat is not None:
            words.add("again" if job.kind in VERIFICATIONS else "repeat")
        return words | ({"decide"} if job.questions else set())

    def do_verify_stop(self) -> None:
        self.services.feed.do(lambda engine: engine.pause(self.job_id))

    def do_verify_resume(self) -> None:
        self.services.feed.do(lambda engine: engine.resume(self.job_id))

    def do_verify_cancel(self) -> None:
        self.services.feed.do(lambda engine: engine.cancel(self.job_id))

    def do_verify_retry(self) -> None:
        self.services.feed.do(lambda engine: engine.retry(self.job_id))

    def do_verify_decide(self) -> None:
        from archive_tui.tui.screens.jobs.tray_screen import TrayScreen

        self.app.push_screen(TrayScreen(self.services, self.job_id))

    def do_verify_again(self) -> None:
        if self._repeat is not None:
            submit_watched(self.archive_app, self.services, self._repeat, self._begin_again, live=self._live)

    def _begin_again(self, job_id: int) -> None:
        self.job_id = job_id
        self.follow_job(job_id)
        self._detail.remove_class("-open")
        self.update_page()

    def do_verify_repeat(self) -> None:
        self.do_verify_again()

    def do_verify_detail(self) -> None:
        self._detail.toggle_class("-open")
        self.call_after_refresh(self.update_page)

    def do_verify_copy(self) -> None:
        self.app.copy_to_clipboard(self.command_line)
        self.say(escape_for_display(f"Copied: {self.command_line}"))

    def do_verify_export(self) -> None:
        self._ask_export("txt", report_text)

    def do_verify_export_json(self) -> None:
        self._ask_export("json", report_json)

    def _ask_export(self, ending: str, write: Callable[[Reported, str], str]) -> None:
        job, report = self.job, self.report
        if job is None or report is None:
            return
        name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in job.title)
        self.ask_text(
            "Save the report as",
            str(Path.cwd() / f"{name}.{ending}"),
            lambda path: self._save(path, write(report, job.message)),
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

    @property
    def moving_rows(self) -> RowList:
        return self._findings


def _show_all(view: LineView, lines: list[Line]) -> None:
    """Shows lines in a view that is just as high as they need."""
    if view.styles.height is None or view.size.height != len(lines):
        view.styles.height = len(lines)
    view.show(lines)


def _format_times(job: JobSnapshot) -> str:
    """`12:41 → ~12:44 `: when it began, and when it has ended or will."""
    began = format_clock(job.started_at) if job.started_at is not None else ""
    phase = job.current_phase
    if job.ended_at is not None and job.state.is_end:
        return f"{began} → {format_clock(job.ended_at)} "
    if phase is not None and phase.eta is not None and job.state.is_running:
        return f"{began} → ~{format_clock(time.time() + phase.eta)} "
    return f"{began} "
