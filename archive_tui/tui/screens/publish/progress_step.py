"""Step 6: the job at work, one bar for each phase. The job goes on when the guide is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from archive_tui.archives.datasets.planning import PublishPlan
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kinds.publishing import publish_job
from archive_tui.jobs.places import storage_place
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.job_choices import find_choices
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.job_rows import describe_now
from archive_tui.tui.lines.progress_lines import job_lines, state_cells
from archive_tui.tui.lines.text_rows import labelled_rows, wrap_words
from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.submitting import submit_watched
from archive_tui.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from archive_tui.jobs.engine import JobEngine

WELL_ENDED = (JobState.VERIFIED, JobState.COPIED, JobState.FINISHED)
_WORDS = {"pause": "stop", "resume": "resume", "cancel": "cancel", "retry": "retry", "decide": "decide"}
"""What can be done with a job, by the words of the guide's actions."""


class ProgressStep(PublishStep):
    title = "progress"

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._view = LineView(id="progress-view")
        self._is_leaving = False

    def compose(self) -> ComposeResult:
        yield self._view

    @property
    def job(self) -> JobSnapshot | None:
        return self.services.feed.get(self.draft.publish_job)

    @property
    def offered(self) -> tuple[str, ...]:
        choices = find_choices(self.job)
        words = [word for choice, word in _WORDS.items() if choice in choices]
        return tuple(words) if self.draft.publish_job is not None else ()

    @property
    def can_go_on(self) -> bool:  # type: ignore[override]
        job = self.job
        return job is not None and job.state in WELL_ENDED

    @property
    def can_go_back(self) -> bool:  # type: ignore[override]
        job = self.job
        return job is not None and job.state.is_end

    @property
    def command_line(self) -> str:
        return self.job.command if self.job is not None else ""

    def begin(self) -> None:
        if self.draft.publish_job is not None:
            self.page.follow_job(self.draft.publish_job)
        elif self.draft.plan is not None and not self.draft.is_submitting:
            self._submit(self.draft.plan)

    def _submit(self, plan: PublishPlan) -> None:
        draft, services = self.draft, self.services

        def make() -> JobRequest:
            place = storage_place(services.storage(draft.storage_name), services.settings)
            return publish_job(place, plan, policy=services.policy())

        def queued(job_id: int) -> None:
            draft.publish_job, draft.is_submitting = job_id, False
            if self.is_attached:
                self.page.follow_job(job_id)
                self.page.update_page()

        draft.is_submitting = True
        submit_watched(self.page.archive_app, services, make, queued, live={"plan": plan})

    def do_publish_retry(self) -> None:
        """The same job again: what it has sent already is not sent twice."""
        self._tell_engine(lambda engine, job_id: engine.retry(job_id))

    def do_publish_stop(self) -> None:
        self._tell_engine(lambda engine, job_id: engine.pause(job_id))

    def do_publish_resume(self) -> None:
        self._tell_engine(lambda engine, job_id: engine.resume(job_id))

    def do_publish_cancel(self) -> None:
        self._tell_engine(lambda engine, job_id: engine.cancel(job_id))

    def do_publish_decide(self) -> None:
        from archive_tui.tui.screens.jobs.tray_screen import TrayScreen

        self.app.push_screen(TrayScreen(self.services, self.draft.publish_job))

    def _tell_engine(self, command: Callable[[JobEngine, int], object]) -> None:
        job_id = self.draft.publish_job
        if job_id is not None:
            self.services.feed.do(lambda engine: command(engine, job_id))

    def draw_step(self) -> None:
        job = self.job
        if job is None:
            return
        if job.state in WELL_ENDED and not self._is_leaving:
            self._is_leaving = True
            self.page.go_to(self.draft.step + 1)
            return
        width = self.size.width
        head: list[list[Cell]] = [[], [(f" {escape_for_display(job.title)}   ", "heading"), *state_cells(job)]]
        head += [[(f" {escape_for_display(job.source)} → {escape_for_display(job.destination)}", "weak")], []]
        self._view.show([*head, *job_lines(job, width), [], *self._closing_lines(job, width)])

    def _closing_lines(self, job: JobSnapshot, width: int) -> list[list[Cell]]:
        if job.state is JobState.STOPPING:
            return [[(" Stopping: the running operation comes to its own end first.", "doubtful")]]
        if job.state is JobState.RUNNING and job.is_here and not job.questions:
            return [[(" Esc leaves this screen; the job goes on, J shows it.", "weak")]]
        if not job.state.is_end:
            return labelled_rows("now", describe_now(job), width - 2, "doubtful")
        style = "damaged" if job.state is JobState.FAILED else "doubtful"
        rows = labelled_rows("why", job.message, width - 2, style)
        if job.hint:
            rows += labelled_rows("what to do", job.hint, width - 2)
        advice = "Nothing was published. The draft is kept: r goes on from there, PgUp goes back to the plan."
        return [*rows, [], *([(f" {line}", "")] for line in wrap_words(advice, width - 2))]
