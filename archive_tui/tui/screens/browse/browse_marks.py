"""Marking rows, one or many at once; in long listings a thread goes through them, so that the keys stay quick."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from archive_tui.archives.vault.views.line_table import WORK_RUN, give_way
from archive_tui.names.quantities import format_count
from archive_tui.progress import StopSignal, check_stop, never
from archive_tui.tui.actions.registry import Action, always
from archive_tui.tui.rows.pane_rows import PaneRows
from archive_tui.tui.rows.selection import PickedRows
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.tasks import Outcome, Tasks
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.tui.panes.pane import Pane

LONG_MARKING = 20_000
"""Rows above which a thread goes through them."""

_ASK_FOR_MARKS = ("palette", "command")
_MARKING, _COLLECTING = "mark", "collect"


class BrowseMarks(ActionScreen):
    """Mixed into the browse screen; `active` is its own."""

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...

    @cached_property
    def _markings(self) -> Tasks:
        return Tasks(self, self.archive_app.listing_pool)

    def do_mark(self) -> None:
        self.active.toggle_mark()

    def do_mark_invert(self) -> None:
        marked = self.active.marked
        self._go_through(lambda name: name not in marked, lambda pane, found: found)

    def do_mark_glob(self) -> None:
        self.ask(Prompt("mark names like:", lambda text: self._mark_glob(text, is_marking=True), LineEditor("*")))

    def do_mark_unglob(self) -> None:
        self.ask(Prompt("unmark names like:", lambda text: self._mark_glob(text, is_marking=False), LineEditor("*")))

    def _mark_glob(self, pattern: str, *, is_marking: bool) -> None:
        def combine(pane: Pane, found: set[str]) -> set[str]:
            if is_marking:
                return pane.marked | found if pane.marked else found
            return pane.marked - found

        self._go_through(lambda name: fnmatchcase(name.rstrip("/"), pattern), combine)

    def _go_through(self, accepts: Callable[[str], bool], combine: Callable[[Pane, set[str]], set[str]]) -> None:
        """Marks what `combine` makes of the pane and of the names that are accepted."""
        pane, rows = self.active, self.active.rows

        def mark(found: set[str]) -> None:
            if pane.rows is rows:
                pane.mark(combine(pane, found))
                self.show_status(f"{format_count(len(pane.marked), 'row')} marked.")
            else:
                self.show_status("Other rows are shown by now: nothing was marked.")

        if rows.count <= LONG_MARKING:
            mark(find_names(rows, accepts))
            return
        self.show_status("Going through all rows. Esc stops.")
        self._markings.start(
            _MARKING, lambda stop: find_names(rows, accepts, stop), lambda outcome: mark(outcome.value or set())
        )

    def stop_marking(self) -> bool:
        """Stops what goes through the rows; False when nothing does."""
        is_running = self._markings.is_running(_MARKING) or self._markings.is_running(_COLLECTING)
        self._markings.stop_all()
        return is_running

    def run_registered(self, action: Action) -> None:
        """What is about the marked rows of a long listing waits until a thread has collected them."""
        pane, picked = self.active, self.active.picked
        if not _asks_for_marks(action) or not isinstance(picked, PickedRows) or picked.is_collected:
            super().run_registered(action)
            return
        if pane.rows.count <= LONG_MARKING:
            super().run_registered(action)
            return

        cursor = pane.cursor

        def go_on(outcome: Outcome) -> None:
            if self.app.screen is not self or self.has_open_prompt:
                return
            is_same = pane is self.active and pane.picked is picked
            if is_same and pane.cursor == cursor:
                super(BrowseMarks, self).run_registered(action)
            else:  # no question may come under the fingers of somebody who has gone on
                self.show_status(f"{action.title}: not done, for you went on. Press it again for what is marked.")

        self.show_status(f"{action.title}: collecting the marked rows. Esc stops.")
        self._markings.start(_COLLECTING, picked.collect, go_on)


def _asks_for_marks(action: Action) -> bool:
    return action.available is not always or action.command is not None or action.id in _ASK_FOR_MARKS


def find_names(rows: PaneRows, accepts: Callable[[str], bool], stop: StopSignal = never) -> set[str]:
    """The names of the rows that can be marked and are accepted.

    Raises: OperationStopped.
    """
    found: set[str] = set()
    for start in range(0, rows.count, WORK_RUN):
        check_stop(stop)
        run = range(start, min(start + WORK_RUN, rows.count))
        found.update(name for row in run if rows.can_be_marked(row) and accepts(name := rows.name(row)))
        give_way()
    return found
