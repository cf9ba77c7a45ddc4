"""The base of all screens: keys go through the registry of actions, sentences and questions into the status line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.screen import Screen

from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext
from archive_tui.tui.widgets.key_line import KeyLine, KeyLineClicked
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt
from archive_tui.tui.widgets.small_terminal import LEAST_COLUMNS, LEAST_LINES
from archive_tui.tui.widgets.status_line import StatusLine
from archive_tui.tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from archive_tui.tui.archive_app import ArchiveApp


class ActionScreen(Screen[None]):
    """A subclass names its `action_groups`, has a `do_<id>` for each of their actions, and composes, where it wants
    them, a TitleLine, a StatusLine and a KeyLine. A focused widget of its own gets a key first."""

    AUTO_FOCUS = ""
    action_groups: ClassVar[tuple[str, ...]] = ()

    @property
    def archive_app(self) -> ArchiveApp:
        return cast("ArchiveApp", self.app)

    @property
    def actions_here(self) -> list[Action]:
        return REGISTRY.in_groups(self.action_groups)

    @property
    def action_context(self) -> ActionContext:
        """What the actions of this screen are about, now."""
        return ActionContext()

    @property
    def status_line(self) -> StatusLine | None:
        return next(iter(self.query(StatusLine)), None)

    @property
    def has_open_prompt(self) -> bool:
        """True while a question in the status line gets all keys."""
        return self.status_line is not None and self.status_line.prompt is not None

    def on_mount(self) -> None:
        self.draw_keys()

    def draw_keys(self) -> None:
        """Brings the key line up to date with the view; it repaints only when that changes it."""
        view = self.action_context.view
        for line in self.query(KeyLine):
            line.show_actions([action for action in self.actions_here if action.is_in_key_line(view)])

    def on_screen_resume(self) -> None:
        self.archive_app.refresh_summary()

    def on_resize(self, event: events.Resize) -> None:
        is_small = event.size.width < LEAST_COLUMNS or event.size.height < LEAST_LINES
        self.set_class(is_small, "-too-small")

    def show_status(self, sentence: str) -> None:
        """Says a sentence in the status line, with its time; names in it are escaped by the caller."""
        line = self.status_line
        if line is not None:
            line.say(sentence)

    def show_summary(self, summary: str) -> None:
        for line in self.query(TitleLine):
            line.show_summary(summary)

    def ask(self, prompt: Prompt) -> None:
        """Puts a question into the status line; until it is answered it gets all keys."""
        line = self.status_line
        if line is not None:
            line.ask(prompt)

    def close_prompt(self) -> None:
        if self.status_line is not None:
            self.status_line.ask(None)

    def on_key(self, event: events.Key) -> None:
        """Keys of an open question first, then those of the actions."""
        line = self.status_line
        if line is not None and line.prompt is not None:
            event.stop()
            event.prevent_default()
            self._answer_prompt(line, line.prompt, event.key, event.character)
            return
        action = self.archive_app.keymap.find(event.key, self.actions_here)
        if action is not None:
            event.stop()
            event.prevent_default()
            self.run_registered(action)

    def on_paste(self, event: events.Paste) -> None:
        line = self.status_line
        if line is not None and line.prompt is not None and not line.prompt.choices:
            line.prompt.editor.insert(event.text)
            self._tell_change(line, line.prompt)

    def _answer_prompt(self, line: StatusLine, prompt: Prompt, key: str, character: str | None) -> None:
        if prompt.choices:
            line.ask(None)
            if key in prompt.choices:
                prompt.accepted(key)
            elif prompt.cancelled is not None:
                prompt.cancelled()
        elif prompt.intercept is not None and prompt.intercept(key):
            pass
        elif key == "enter":
            line.ask(None)
            prompt.accepted(prompt.editor.text)
        elif key == "escape":
            line.ask(None)
            if prompt.cancelled is not None:
                prompt.cancelled()
        elif prompt.editor.handle(key, character):
            self._tell_change(line, prompt)

    def _tell_change(self, line: StatusLine, prompt: Prompt) -> None:
        line.refresh()
        if prompt.changed is not None:
            prompt.changed(prompt.editor.text)

    def ask_for_key(self, question: str, keys: frozenset[str], accepted: str) -> None:
        """Asks for one key; when it is one of `keys`, the method named `accepted` runs. Any other key is a no."""
        self.ask(Prompt(question, lambda key: getattr(self, accepted)(), LineEditor(), choices=keys))

    def on_key_line_clicked(self, message: KeyLineClicked) -> None:
        self.run_registered(message.action)

    def run_registered(self, action: Action) -> None:
        """Does an action of this screen, or says why it cannot be done here."""
        if not action.available(self.action_context):
            self.show_status(action.why_not or f"{action.title}: not possible here.")
            return
        method = getattr(self, action.method_name, None)
        if method is None:
            self.archive_app.show_status(f"{action.title}: not on this screen.")
        else:
            method()

    # Actions that every screen has.

    def do_quit(self) -> None:
        self.archive_app.request_quit()

    def do_dismiss(self) -> None:
        if len(self.app.screen_stack) > 2:
            self.dismiss()
