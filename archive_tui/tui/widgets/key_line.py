"""The last line: keys and words, out of the registry of actions. A click on one does it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.widgets.line_widget import LineWidget


class KeyLineClicked(Message):
    def __init__(self, action: Action) -> None:
        super().__init__()
        self.action = action


class KeyLine(LineWidget):
    def __init__(self, actions: Sequence[Action] = (), *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.actions: Sequence[Action] = actions

    def show_actions(self, actions: Sequence[Action]) -> None:
        if list(actions) != list(self.actions):
            self.actions = actions
            self.refresh()

    def _items(self) -> list[tuple[Action, str, str]]:
        """The actions that fit, with key and word; the last one (more) keeps its place."""
        keymap = self.archive_app.keymap
        items = [(action, keymap.label(action), action.label) for action in self.actions if action.label]
        gap = 2
        while len(items) > 2 and sum(len(key) + len(word) + 1 + gap for _, key, word in items) > self.size.width:
            del items[-2]
        return items

    def render_line(self, y: int) -> Strip:
        cells: list[Cell] = [(" ", "")]
        for _, key, word in self._items():
            cells += [(key, "key"), (f" {word}  ", "")]
        return self.make_strip(cells, self.size.width)

    def on_click(self, event: events.Click) -> None:
        end = 1
        for action, key, word in self._items():
            end += len(key) + len(word) + 3
            if event.x < end:
                self.post_message(KeyLineClicked(action))
                return
