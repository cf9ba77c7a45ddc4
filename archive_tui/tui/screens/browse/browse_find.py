"""Finding a row as one types; in long listings a thread looks, so that the keys stay quick."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from archive_tui.progress import StopSignal, check_stop, never
from archive_tui.tui.rows.pane_rows import PaneRows
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.tasks import TaskEnded, Tasks
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.tui.panes.pane import Pane

LONG_SEARCH = 20_000
"""Rows above which a thread looks for a name."""


class BrowseFind(ActionScreen):
    """Mixed into the browse screen; `active` is its own."""

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...

    _sought = ""

    @cached_property
    def _searches(self) -> Tasks:
        return Tasks(self, self.archive_app.listing_pool)

    def do_pane_find(self) -> None:
        pane, began_at = self.active, self.active.cursor

        def intercept(key: str) -> bool:
            if key in ("down", "up"):
                self._find(self._sought, pane.cursor + (1 if key == "down" else -1), 1 if key == "down" else -1)
                return True
            return False

        def cancel() -> None:
            self._searches.stop_all()
            pane.move_cursor(began_at)

        self.ask(
            Prompt(
                "find:",
                lambda text: None,
                LineEditor(),
                changed=lambda text: self._find(text, began_at),
                cancelled=cancel,
                intercept=intercept,
            )
        )

    def do_pane_find_next(self) -> None:
        if self._sought:
            self._find(self._sought, self.active.cursor + 1)
        else:
            self.do_pane_find()

    def _find(self, text: str, start: int, step: int = 1) -> None:
        self._sought = text
        wanted, pane = text.casefold(), self.active
        rows = pane.rows
        self._searches.stop_all()
        if not wanted or not rows.count:
            return
        if rows.count <= LONG_SEARCH:
            _show_found(pane, rows, find_text(rows, wanted, start, step))
            return
        self._searches.start(
            "find",
            lambda stop: find_text(rows, wanted, start, step, stop),
            lambda outcome: _show_found(pane, rows, outcome.value),
        )

    def on_task_ended(self, message: TaskEnded) -> None:
        message.then(message.outcome)


def _show_found(pane: Pane, rows: PaneRows, found: int | None) -> None:
    """Goes to the row, unless others are shown by now."""
    if found is not None and pane.rows is rows:
        pane.move_cursor(found)


def find_text(rows: PaneRows, wanted: str, start: int, step: int, stop: StopSignal = never) -> int | None:
    """The next row whose name begins with `wanted`, else the next that holds it; `wanted` is case-folded.

    Raises: OperationStopped.
    """

    def begins(name: str) -> bool:
        check_stop(stop)
        return name.casefold().startswith(wanted)

    def holds(name: str) -> bool:
        check_stop(stop)
        return wanted in name.casefold()

    found = rows.find(begins, start, step)
    return rows.find(holds, start, step) if found is None else found
