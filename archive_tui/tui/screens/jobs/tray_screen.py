"""The tray: conflicts that jobs have left open while they went on, and the rules by which they can be decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.job import JobSnapshot, Question
from archive_tui.names.quantities import format_count
from archive_tui.tui.actions.page_actions import ROWS, TRAY
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.question_lines import describe_scope, question_detail, question_row
from archive_tui.tui.screens.page import Page
from archive_tui.tui.screens.row_moves import RowMoves
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt
from archive_tui.tui.widgets.line_view import LineView
from archive_tui.tui.widgets.row_list import RowList

TASK = "questions"
_RULES = {"keep": ConflictRule.KEEP, "keep-both": ConflictRule.KEEP_BOTH, "replace": ConflictRule.REPLACE}


class TrayScreen(RowMoves, Page):
    """The open questions of one job, or with None of all. An answered one is gone from the list at once."""

    action_groups: ClassVar[tuple[str, ...]] = (TRAY, ROWS)

    def __init__(self, services: Services, job_id: int | None) -> None:
        super().__init__(services)
        self._only_job = job_id
        self._questions: list[Question] = []
        self._seen: object = None
        self._is_looked_up = False
        self._for_all = False
        self._list = RowList(id="tray-list")
        self._detail = LineView(id="tray-detail")

    def compose_body(self) -> Iterable[Widget]:
        yield self._list
        yield self._detail

    @property
    def chosen(self) -> Question | None:
        return self._questions[min(self._list.cursor, len(self._questions) - 1)] if self._questions else None

    @property
    def _jobs(self) -> list[JobSnapshot]:
        jobs = self.services.feed.jobs
        return [job for job in jobs if job.questions and self._only_job in (None, job.id)]

    def title_cells(self) -> tuple[str, list[Cell]]:
        return "Decisions", [(f"{format_count(len(self._questions), 'question')} open ", "")]

    def draw(self) -> None:
        counts = [(job.id, job.questions) for job in self._jobs]
        if counts != self._seen and not self.tasks.is_running(TASK):
            self._seen = counts
            self._look_up()
        width, chosen = self.size.width, self.chosen
        if chosen is None:
            text = " Nothing is left to decide." if self._is_looked_up else " ▸ looking"
            self._list.show_text([[], [(text, "weak")]])
            self._detail.show([])
            return
        questions = self._questions
        self._list.show_drawn_rows(len(questions), lambda index: question_row(questions[index], width))
        job = self.services.feed.get(chosen.job_id)
        same_job = sum(question.job_id == chosen.job_id for question in questions)
        scope = describe_scope(same_job, for_all=self._for_all)
        rule: list[list[Cell]] = [[(f"─ {scope} ".ljust(width, "─"), "frame")]]
        lines = [*rule, *question_detail(chosen, job.title if job is not None else "", width - 2)]
        if self._detail.styles.height is None or self._detail.styles.height.value != len(lines):
            self._detail.styles.height = len(lines)
        self._detail.show(lines)

    def _look_up(self) -> None:
        engine, job_id = self.services.feed.engine, self._only_job
        self.tasks.start(TASK, lambda stop: engine.questions(job_id), self._looked_up)

    def _looked_up(self, outcome: Outcome) -> None:
        self._is_looked_up = True
        if outcome.error is not None:
            self.say_error(outcome.error)
            return
        self._questions = [question for question in outcome.value if question.answer is None]

    # Answers

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("tray.")
        if word in _RULES:
            return self.chosen is not None and _RULES[word] in self.chosen.conflict.choices
        if word in ("same", "one"):
            return self.chosen is not None and (word == "same") is not self._for_all
        return True

    def do_tray_keep(self) -> None:
        self._answer(ConflictRule.KEEP)

    def do_tray_keep_both(self) -> None:
        self._answer(ConflictRule.KEEP_BOTH)

    def do_tray_replace(self) -> None:
        if not self._for_all:
            self._answer(ConflictRule.REPLACE)
            return
        question = "Overwrite all that lies in the way of this job? That cannot be undone. y overwrite · Esc no"
        accepted = Prompt(question, lambda key: self._answer_all(), LineEditor(), choices=frozenset({"y"}))
        self.ask(accepted)

    def do_tray_same(self) -> None:
        self._for_all = True

    def do_tray_one(self) -> None:
        self._for_all = False

    def _answer_all(self) -> None:
        self._answer(ConflictRule.REPLACE)
        self.update_page()

    def _answer(self, rule: ConflictRule) -> None:
        question, for_all = self.chosen, self._for_all
        if question is None:
            return
        job_id, item = question.job_id, question.conflict.item
        self._questions = [
            each
            for each in self._questions
            if each is not question and not (for_all and each.job_id == job_id and rule in each.conflict.choices)
        ]
        self.services.feed.do(lambda engine: engine.answer(job_id, item, rule, for_all=for_all))
        if not any(each.job_id == job_id for each in self._questions):
            self.say(f"All is decided: job {job_id} goes on with what it has left open.")

    def do_tray_back(self) -> None:
        self.dismiss()

    @property
    def moving_rows(self) -> RowList:
        return self._list
