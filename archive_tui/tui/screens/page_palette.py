"""The palette of the full-screen pages: all that can be done here, to choose from and to type at."""

from __future__ import annotations

from archive_tui.tui.actions.registry import Action
from archive_tui.tui.panes.panel_contents import palette_lines
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt
from archive_tui.tui.widgets.row_list import RowList

_PROMPT = "find an action (Enter does it, Esc closes):"


class PagePalette(ActionScreen):
    """Mixed into the pages: `menu` takes the place of the body while the palette is open."""

    def __init__(self) -> None:
        super().__init__()
        self.menu = RowList(id="page-menu")
        self._found: list[Action] = []

    def do_page_palette(self) -> None:
        self._found = self._find_actions("")
        self.add_class("-menu")
        self.ask(
            Prompt(
                _PROMPT,
                lambda text: self._accept(),
                LineEditor(),
                changed=self._filter,
                cancelled=self._close_menu,
                intercept=self._move_in_menu,
            )
        )
        self.call_after_refresh(self._draw_menu)

    def _find_actions(self, text: str) -> list[Action]:
        words = text.casefold().split()
        actions = [action for action in self.actions_here if action.id != "page.palette"]
        return [action for action in actions if all(word in action.title.casefold() for word in words)]

    def _filter(self, text: str) -> None:
        self._found = self._find_actions(text)
        self.menu.cursor = 0
        self._draw_menu()

    def _draw_menu(self) -> None:
        lines = palette_lines(self._found, self.archive_app.keymap, self.action_context)
        self.menu.show_rows([[(" ", ""), *line] for line in lines])

    def _move_in_menu(self, key: str) -> bool:
        page = max(1, self.menu.size.height - 1)
        steps = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}
        if key in steps:
            self.menu.move_cursor(steps[key])
        return key in steps

    def _accept(self) -> None:
        chosen = self._found[self.menu.cursor] if self._found else None
        self._close_menu()
        if chosen is not None:
            self.run_registered(chosen)

    def _close_menu(self) -> None:
        self.remove_class("-menu")
