"""The base of the pages on which a job stands that something can be done with."""

from __future__ import annotations

from archive_tui.jobs.job import JobSnapshot
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.job_choices import find_choices, has_work_to_lose
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.screens.page import Page
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

GENERAL_WORDS = frozenset({"pause", "resume", "cancel", "retry", "decide", "receipt", "copy"})


class JobPage(Page):
    """Subclasses give `chosen`, and have the actions `<group>.pause`, `.resume` and so on among theirs."""

    @property
    def chosen(self) -> JobSnapshot | None:
        """The job that the keys mean."""
        return None

    @property
    def command_line(self) -> str:
        return self.chosen.command if self.chosen is not None else ""

    def offers(self, action: Action) -> bool:
        word = action.id.partition(".")[2]
        return word not in GENERAL_WORDS or word in find_choices(self.chosen)

    def run_job_word(self, word: str) -> None:
        """Does what one of the general words means, to the chosen job."""
        job, feed = self.chosen, self.services.feed
        if job is None:
            return
        job_id = job.id
        if word == "pause":
            feed.do(lambda engine: engine.pause(job_id))
        elif word == "resume":
            feed.do(lambda engine: engine.resume(job_id))
        elif word == "retry":
            feed.do(lambda engine: engine.retry(job_id))
        elif word == "cancel":
            self._cancel(job)
        elif word == "copy":
            self.app.copy_to_clipboard(job.command)
            self.say(escape_for_display(f"Copied: {job.command}"))

    def _cancel(self, job: JobSnapshot) -> None:
        """Asks first where that forgets something."""
        feed, job_id = self.services.feed, job.id

        def cancel(key: str) -> None:
            feed.do(lambda engine: engine.cancel(job_id))

        if not has_work_to_lose(job):
            cancel("")
            return
        title = escape_for_display(job.title)
        question = f"Cancel {job_id} {title}? Unfinished uploads are removed; Space pauses it. y cancel · Esc no"
        self.ask(Prompt(question, cancel, LineEditor(), choices=frozenset({"y"})))

    def open_tray(self, job_id: int | None) -> None:
        from archive_tui.tui.screens.jobs.tray_screen import TrayScreen

        self.app.push_screen(TrayScreen(self.services, job_id))

    def open_receipt(self) -> None:
        from archive_tui.tui.screens.jobs.receipt_screen import ReceiptScreen

        if self.chosen is not None:
            self.app.push_screen(ReceiptScreen(self.services, self.chosen))
