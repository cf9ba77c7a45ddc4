"""What the steps of the publish guide have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.containers import Vertical
from textual.widgets import Input

from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.form_field import FormField

if TYPE_CHECKING:
    from archive_tui.tui.screens.publish.publish_screen import PublishScreen


class PublishStep(Vertical):
    """One step: it draws the draft, and changes it. `offered` names the actions that it has besides next, back and
    leave; each is a method `do_publish_<word>` of the step."""

    title: ClassVar[str] = ""
    next_word: ClassVar[str] = "next"
    can_go_on: bool = True
    can_go_back: bool = True

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(id="publish-step")
        self.draft = draft
        self.services = services

    @property
    def page(self) -> PublishScreen:
        return cast("PublishScreen", self.screen)

    @property
    def offered(self) -> tuple[str, ...]:
        return ()

    def begin(self) -> None:
        """Called once, when the step has been laid out."""

    def draw_step(self) -> None:
        """Brings the step up to date with the draft."""

    def is_live(self) -> bool:
        return False

    def finish(self) -> str:
        """Takes what was entered into the draft; returns why the guide cannot go on, empty when it can."""
        return ""

    def keep(self) -> None:
        """Takes what was entered into the draft as it is: the guide is left, or goes back."""

    def take_character(self, character: str) -> bool:
        """Uses up a typed character that no field has taken; False when the step has no use for it."""
        return False

    def close_inner(self) -> bool:
        """Closes what is open inside the step; False when nothing is."""
        return False

    # Forms: Up and Down go through the fields.

    @property
    def fields(self) -> list[FormField]:
        return list(self.query(FormField))

    def focus_field(self, index: int) -> None:
        fields = self.fields
        if fields:
            fields[max(0, min(index, len(fields) - 1))].input.focus(scroll_visible=False)

    @property
    def focused_field(self) -> int | None:
        return next((index for index, field in enumerate(self.fields) if field.input is self.app.focused), None)

    @property
    def has_fields_left(self) -> bool:
        """True while a field has the focus and is not the last one: Enter goes to the next of them."""
        index = self.focused_field
        return index is not None and index + 1 < len(self.fields)

    def do_publish_field(self) -> None:
        self.move_focus(1)

    def move_focus(self, by: int) -> bool:
        """Returns False when there is no field that way."""
        index = self.focused_field
        if index is None or not 0 <= index + by < len(self.fields):
            return False
        self.focus_field(index + by)
        return True

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if not self.move_focus(1):
            self.page.do_publish_next()
