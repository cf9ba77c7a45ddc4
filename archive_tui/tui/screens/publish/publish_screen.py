"""The screen of the publish guide: it shows one step at a time, and goes from one to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.page_actions import PUBLISH
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.screens.page import Page
from archive_tui.tui.screens.publish.contents_step import ContentsStep
from archive_tui.tui.screens.publish.details_step import DetailsStep
from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.screens.publish.plan_step import PlanStep
from archive_tui.tui.screens.publish.progress_step import ProgressStep
from archive_tui.tui.screens.publish.receipt_step import ReceiptStep
from archive_tui.tui.screens.publish.source_step import SourceStep
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.screens.publish.version_step import VersionStep
from archive_tui.tui.services import Services

STEPS: tuple[type[PublishStep], ...] = (
    SourceStep,
    ContentsStep,
    VersionStep,
    DetailsStep,
    PlanStep,
    ProgressStep,
    ReceiptStep,
)
EDITING_KEYS = frozenset(
    key for binding in Input.BINDINGS if isinstance(binding, Binding) for key in binding.key.split(",")
)
PLAN, PROGRESS, RECEIPT = 4, 5, 6


class PublishScreen(Page):
    """Everything that was entered lies in the draft, which outlives this screen; so does the job that it starts."""

    action_groups: ClassVar[tuple[str, ...]] = (PUBLISH,)

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(services)
        self.draft = draft
        self._is_changing = False
        self.step: PublishStep = STEPS[draft.step](draft, services)

    @property
    def job_id(self) -> int | None:
        """The job whose end this page shows itself."""
        return self.draft.publish_job

    def compose_body(self) -> Iterable[Widget]:
        yield self.step

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin_step)

    def title_cells(self) -> tuple[str, list[Cell]]:
        name = escape_for_display(self.draft.name or self.draft.source.name)
        words: list[Cell] = []
        for index, step in enumerate(STEPS):
            is_here = index == self.draft.step
            words.append((f" {'▸' if is_here else ''}{step.title}", "heading" if is_here else "weak"))
        left = f"Publish {name}"
        if self.size.width < 100:  # the places of seven words are what is left of eighty columns
            left, words = (
                f"Publish {name} to {self.draft.storage_name}",
                [(f"step {self.draft.step + 1} of {len(STEPS)}: {self.step.title} ", "heading")],
            )
        else:
            left, words = f"{left} to {self.draft.storage_name}", [*words, (" ", "")]
        return left, words

    def draw(self) -> None:
        if self.step.is_attached:
            self.step.draw_step()

    def is_live(self) -> bool:
        return self.step.is_live()

    @property
    def command_line(self) -> str:
        return getattr(self.step, "command_line", "")

    # The way through the steps

    def go_to(self, index: int) -> None:
        """Shows another step; the draft knows which, so that the guide can be left and opened again."""
        self._is_changing = True
        self.tasks.stop_all()
        self.draft.step = index
        self.draft.furthest_step = max(index, self.draft.furthest_step)
        self.run_worker(self._show_step(index), exclusive=True, group="steps")

    async def _show_step(self, index: int) -> None:
        body = self.query_one("#page-body", Vertical)
        with self.app.batch_update():
            self.set_focus(None)
            await body.remove_children()
            self.step = STEPS[index](self.draft, self.services)
            await body.mount(self.step)
        self.call_after_refresh(self._begin_step)

    def _begin_step(self) -> None:
        if self.step.is_attached:
            self._is_changing = False
            self.step.begin()
            self.update_page()

    def do_publish_next(self) -> None:
        if self._is_changing:
            return  # a second Enter was meant for the step that is not there yet
        reason = self.step.finish()
        if reason:
            self.say(reason)
            return
        self.say("")
        if self.draft.step == RECEIPT:
            self.do_publish_leave()
        else:
            self.go_to(self.draft.step + 1)

    do_publish_onward = do_publish_next
    do_publish_start = do_publish_next
    do_publish_done = do_publish_next

    def do_publish_back(self) -> None:
        if self._is_changing:
            return
        self.step.keep()
        if self.draft.step:
            self.say("")
            self.go_to(PLAN if self.draft.step == PROGRESS else self.draft.step - 1)

    def on_key(self, event: events.Key) -> None:
        if self.has_open_prompt:
            return
        if isinstance(self.focused, Input) and event.key in EDITING_KEYS:
            event.prevent_default()  # the field's own bindings run last of all: the screen leaves these keys to them
        elif event.character and self.step.take_character(event.character):
            event.stop()
            event.prevent_default()
            self.update_page()

    def do_publish_leave(self) -> None:
        if self.step.close_inner():
            return
        self.step.keep()
        if self.draft.step == RECEIPT:
            self.services.drafts = {
                key: draft for key, draft in self.services.drafts.items() if draft is not self.draft
            }
        self.dismiss()

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("publish.")
        if word in ("field", "onward"):
            return self.step.has_fields_left
        if word == "next" and self.step.has_fields_left:
            return False
        if word in ("next", "start", "done"):
            return word == self.step.next_word and self.step.can_go_on
        if word == "back":
            return self.step.can_go_back
        return word == "leave" or word in self.step.offered

    def run_registered(self, action: Action) -> None:
        method = getattr(self.step, action.method_name, None)
        if method is None:
            super().run_registered(action)
        else:
            method()
            self.update_page()
