"""Step 7: what was published, how that was proven, and how to get it back."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult

from archive_tui.archives.datasets.receipt import PublishReceipt
from archive_tui.jobs.job import JobSnapshot
from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.receipts import default_receipt_name, publish_receipt_text, receipt_rows, save_text
from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.row_list import RowList


class ReceiptStep(PublishStep):
    title = "receipt"
    next_word = "done"
    can_go_back = False

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._rows = RowList(id="receipt-rows", has_cursor=False)

    def compose(self) -> ComposeResult:
        yield self._rows

    def begin(self) -> None:
        if self.draft.publish_job is not None:
            self.page.follow_job(self.draft.publish_job)

    @property
    def job(self) -> JobSnapshot | None:
        return self.services.feed.get(self.draft.publish_job)

    @property
    def receipt(self) -> PublishReceipt | None:
        job = self.job
        return job.result if job is not None and isinstance(job.result, PublishReceipt) else None

    @property
    def offered(self) -> tuple[str, ...]:
        return ("up", "down", "copy", "save") if self.receipt is not None else ()

    def draw_step(self) -> None:
        job, receipt = self.job, self.receipt
        if job is None or receipt is None:
            return
        rows = receipt_rows(receipt, job, self.draft.storage_name, self.services.settings.path, self.size.width - 2)
        self._rows.show_rows(rows)

    def do_publish_up(self) -> None:
        self._rows.move_cursor(-1)

    def do_publish_down(self) -> None:
        self._rows.move_cursor(1)

    def do_publish_copy(self) -> None:
        job = self.job
        if job is not None:
            self.app.copy_to_clipboard(job.command)
            self.page.say(
                escape_for_display(f"Copied: {job.command}") if job.command else "There is no command for it."
            )

    def do_publish_save(self) -> None:
        receipt = self.receipt
        if receipt is not None:
            proposed = self.draft.save_folder / default_receipt_name(receipt.name, receipt.version)
            self.page.ask_text("Save the receipt as", str(proposed), self._save)

    def _save(self, path: str) -> None:
        receipt, job = self.receipt, self.job
        if receipt is None or job is None:
            return
        text = publish_receipt_text(receipt, job, self.draft.storage_name, self.services.settings.path)
        self.page.tasks.start("save", lambda stop: save_text(Path(path).expanduser(), text), self._saved)

    def _saved(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.page.say_error(outcome.error)
        else:
            self.page.say(f"Saved: {escape_for_display(str(outcome.value))}")
