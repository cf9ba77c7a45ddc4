"""Step 6: the job at work, one bar for each phase. The job goes on when the guide is left."""

from __future__ import annotations

from textual.app import ComposeResult

from archive_tui.jobs.job import JobSnapshot, JobState
from archive_tui.jobs.kinds import publish_job
from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.progress_lines import job_lines, state_cells
from archive_tui.tui.lines.text_rows import labelled_rows, wrap_words
from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.line_view import LineView

WELL_ENDED = (JobState.VERIFIED, JobState.COPIED, JobState.FINISHED)


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
        return self.services.engine.get(self.draft.publish_job) if self.draft.publish_job is not None else None

    @property
    def offered(self) -> tuple[str, ...]:
        job = self.job
        if job is None or job.state in WELL_ENDED:
            return ()
        return ("retry",) if job.state.is_end else ("stop",)

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

    def is_live(self) -> bool:
        job = self.job
        return job is not None and not job.state.is_end

    def begin(self) -> None:
        if self.draft.publish_job is None:
            self.do_publish_retry()

    def do_publish_retry(self) -> None:
        plan = self.draft.plan
        if plan is not None:
            storage = self.services.storage(self.draft.storage_name)
            job = publish_job(storage, plan, self.services.evidence, has_command=not self.draft.chosen)
            self.draft.publish_job = self.services.engine.submit(job)

    def do_publish_stop(self) -> None:
        if self.draft.publish_job is not None:
            self.services.engine.cancel(self.draft.publish_job)

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
        if not job.state.is_end:
            return [[(" Esc leaves this screen; the job goes on, J shows it.", "weak")]]
        style = "damaged" if job.state is JobState.FAILED else "doubtful"
        rows = labelled_rows("why", job.message, width - 2, style)
        if job.hint:
            rows += labelled_rows("what to do", job.hint, width - 2)
        advice = "Nothing was published. The draft is kept: r tries again, PgUp goes back to the plan."
        return [*rows, [], *([(f" {line}", "")] for line in wrap_words(advice, width - 2))]
