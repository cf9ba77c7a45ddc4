"""What would be deleted: counted, with what is protected and whether it can be had back, before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.widget import Widget

from archive_tui.jobs.place_words import make_command
from archive_tui.names.display import escape_for_display
from archive_tui.operations.trash import Trash
from archive_tui.progress import Event, ItemDone, StopSignal
from archive_tui.tui import file_routes
from archive_tui.tui.actions.file_actions import DELETING, picked_words
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.lines.text_rows import labelled_rows
from archive_tui.tui.screens.deleting.delete_lines import review_rows
from archive_tui.tui.screens.page import Page
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import Line
from archive_tui.tui.widgets.row_list import RowList

_COUNTING = "count"


class DeleteScreen(Page):
    action_groups: ClassVar[tuple[str, ...]] = (DELETING,)

    def __init__(self, selection: file_routes.FileSelection, services: Services) -> None:
        super().__init__(services)
        self._selection = selection
        self._review: file_routes.DeleteReview | None = None
        self._failure = ""
        self._counted = 0
        self._rows = RowList(id="deleting-rows", has_cursor=False)

    def compose_body(self) -> Iterable[Widget]:
        yield self._rows

    def on_mount(self) -> None:
        self.do_deleting_again()

    @property
    def command_line(self) -> str:
        words = picked_words(self._selection.location, self._selection.names)
        return make_command(["delete", *words], [] if self._trash is Trash.NONE else ["--trash"])

    @property
    def _trash(self) -> Trash:
        return self._review.trash if self._review is not None else Trash.NONE

    @property
    def _can_delete(self) -> bool:
        review = self._review
        if review is None or review.refusal is not None:
            return False
        return bool(review.plan.objects or review.plan.empty_folders)

    def is_live(self) -> bool:
        return self.tasks.is_running(_COUNTING)

    def title_cells(self) -> tuple[str, list[Cell]]:
        return f"Delete from {escape_for_display(self._selection.location.title)}", []

    def draw(self) -> None:
        self._rows.show_rows(self._make_rows(max(40, self.size.width - 2)))

    def _make_rows(self, width: int) -> list[Line]:
        if self._review is not None:
            return review_rows(self._selection, self._review, width)
        if self._failure:
            return [[], *labelled_rows("✗", self._failure, width, "damaged")]
        return [[], [(f" ▸ counting what would be deleted: {self._counted:,} so far", "running")]]

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("deleting.")
        if word == "trash":
            return self._can_delete and self._trash is Trash.FOLDER
        if word == "versions":
            return self._can_delete and self._trash is Trash.VERSIONS
        if word == "for-good":
            return self._can_delete and self._trash is not Trash.VERSIONS
        if word == "copy":
            return bool(self.command_line)
        return word != "again" or not self.is_live()

    def do_deleting_again(self) -> None:
        self._review, self._failure, self._counted = None, "", 0

        def report(event: Event) -> None:
            if isinstance(event, ItemDone):
                self._counted = event.items_total

        def review(stop: StopSignal) -> file_routes.DeleteReview:
            return file_routes.review_delete(self._selection, self.services.settings, report, stop)

        self.tasks.start(_COUNTING, review, self._counted_all)

    def _counted_all(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._failure = describe_error(outcome.error)
        else:
            self._review = outcome.value

    # The answers.

    def do_deleting_trash(self) -> None:
        self._submit(to_trash=True)

    def do_deleting_versions(self) -> None:
        self._submit(to_trash=True)

    def do_deleting_for_good(self) -> None:
        if self._review is None:
            return
        count = self._review.plan.objects
        if not count:
            self.ask_for_key("Only empty folders go.  y delete · Esc no", frozenset({"y"}), "delete_for_good")
            return
        question = f"Gone for good. Type the number of objects ({count:,}):"
        self.ask_text(question, "", partial(self._take_count, count))

    def _take_count(self, count: int, text: str) -> None:
        if text.strip().replace(",", "") == str(count):
            self.delete_for_good()
        else:
            self.say("That is not the number: nothing was deleted.")

    def delete_for_good(self) -> None:
        """What was counted is deleted, and cannot be had back."""
        self._submit(to_trash=False)

    def _submit(self, *, to_trash: bool) -> None:
        if self._review is not None:
            app, plan = self.archive_app, self._review.plan
            self.dismiss()
            file_routes.submit_delete(app, self.services, self._selection, plan, to_trash=to_trash)

    def do_deleting_copy(self) -> None:
        self.app.copy_to_clipboard(self.command_line)
        self.say(escape_for_display(f"Copied: {self.command_line}"))

    def do_deleting_up(self) -> None:
        self._rows.move_cursor(-1)

    def do_deleting_down(self) -> None:
        self._rows.move_cursor(1)

    def do_deleting_leave(self) -> None:
        self.dismiss()
        self.archive_app.show_status("Nothing was deleted.")
