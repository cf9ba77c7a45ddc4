"""The job of a guide that deposits files: it is begun, stopped and tried again here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.deposit_actions import DEPOSIT
from archive_tui.tui.actions.job_choices import find_choices
from archive_tui.tui.actions.safe_actions import command_of
from archive_tui.tui.safe_routes import place_of_safe
from archive_tui.tui.screens.deposit.deposit_lines import refusals_of, what_becomes_of
from archive_tui.tui.screens.deposit.draft import DepositDraft
from archive_tui.tui.screens.page import Page
from archive_tui.tui.services import Services
from archive_tui.tui.submitting import submit_watched
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.jobs.engine import JobEngine

STEPS = ("LOI", "metadata", "plan", "progress", "receipt")
LOI, METADATA, PLAN, PROGRESS, RECEIPT = range(5)
_JOB_WORDS = {"pause": "stop", "resume": "resume", "cancel": "cancel", "retry": "retry", "decide": "decide"}


class DepositWork(Page):
    """The part of the guide's screen from the plan on."""

    action_groups: ClassVar[tuple[str, ...]] = (DEPOSIT,)

    def __init__(self, draft: DepositDraft, services: Services) -> None:
        super().__init__(services)
        self.draft = draft

    @property
    def job_id(self) -> int | None:
        """The job whose end this page shows itself."""
        return self.draft.job_id

    @property
    def job(self) -> JobSnapshot | None:
        return self.services.feed.get(self.draft.job_id)

    @property
    def command_line(self) -> str:
        draft = self.draft
        if self.job is not None:
            return self.job.command
        if draft.step != PLAN or draft.scan is None or not draft.loi:
            return ""
        files = [word for name in draft.names or () for word in ("--file", name)]
        verb = "update" if draft.is_update else "put"
        return command_of(draft.location, verb, draft.loi, str(draft.source), *files) or ""

    def job_words(self) -> set[str]:
        """What can be done with the job now."""
        choices = find_choices(self.job)
        return {word for choice, word in _JOB_WORDS.items() if choice in choices}

    def go_on_when_done(self) -> None:
        job = self.job
        if self.draft.step == PROGRESS and job is not None and job.state is JobState.VERIFIED:
            self.draft.step = RECEIPT
            self.call_after_refresh(self.update_page)

    def do_deposit_start(self) -> None:
        """Begins the job; an update asks first, for it replaces something."""
        refusals = refusals_of(self.draft)
        if refusals or self.draft.is_submitting:
            self.say(escape_for_display(refusals[0]) if refusals else "")
        elif self.draft.is_update:
            question = f"Replace the dataset of {escape_for_display(self.draft.loi)}? {what_becomes_of(self.draft)}"
            answers = frozenset({"u"})
            keys = "  u update · any other key no"
            self.ask(Prompt(question + keys, lambda key: self._submit(), LineEditor(), choices=answers))
        else:
            self._submit()

    def _submit(self) -> None:
        draft, services = self.draft, self.services

        def make() -> JobRequest:
            from archive_tui.jobs.kinds.safe_deposits import deposit_job

            place = place_of_safe(draft.location, services.settings)
            return deposit_job(
                place, draft.loi, draft.source, names=draft.names, is_update=draft.is_update, policy=services.policy()
            )

        def queued(job_id: int) -> None:
            draft.job_id, draft.is_submitting = job_id, False
            if self.is_attached:
                self.follow_job(job_id)
                self.update_page()

        draft.is_submitting, draft.step = True, PROGRESS
        self.say("")
        submit_watched(self.archive_app, services, make, queued)

    def do_deposit_retry(self) -> None:
        self._tell_engine(lambda engine, job_id: engine.retry(job_id))

    def do_deposit_stop(self) -> None:
        self._tell_engine(lambda engine, job_id: engine.pause(job_id))

    def do_deposit_resume(self) -> None:
        self._tell_engine(lambda engine, job_id: engine.resume(job_id))

    def do_deposit_cancel(self) -> None:
        self._tell_engine(lambda engine, job_id: engine.cancel(job_id))

    def do_deposit_decide(self) -> None:
        from archive_tui.tui.screens.jobs.tray_screen import TrayScreen

        self.app.push_screen(TrayScreen(self.services, self.draft.job_id))

    def _tell_engine(self, command: Callable[[JobEngine, int], object]) -> None:
        job_id = self.draft.job_id
        if job_id is not None:
            self.services.feed.do(lambda engine: command(engine, job_id))
