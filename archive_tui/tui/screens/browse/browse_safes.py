"""The work on datasafes that the browse screen offers: reserve, deposit, retrieve, verify, look at a LOI."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.names.display import escape_for_display
from archive_tui.progress import StopSignal
from archive_tui.tui import safe_routes
from archive_tui.tui.actions.safe_actions import (
    DATASAFE,
    can_deposit,
    can_retrieve,
    in_safe,
    loi_to_reserve,
    picked_entries,
    safe_location,
)
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.panes.panel import Panel, PanelLine
from archive_tui.tui.panes.safe_properties import contents_lines, folder_lines, loi_lines
from archive_tui.tui.rows.safe_rows import SafeRows
from archive_tui.tui.screens.browse.browse_panels import LABELS_WIDTH, BrowsePanels
from archive_tui.tui.screens.manifest.manifest_work import ManifestWork
from archive_tui.tui.tasks import Outcome, Tasks
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.panes.pane import Pane

_RESERVING = "reserve"
PANEL_SIDES = 4
"""Cells of a panel that its text does not get."""


class BrowseSafes(BrowsePanels, ManifestWork):
    """Mixed into the browse screen; what is not about a datasafe goes on to the others."""

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...

    @cached_property
    def _reservations(self) -> Tasks:
        return Tasks(self, self.archive_app.listing_pool)

    # Reserve, and copy a LOI.

    def do_safe_reserve(self) -> None:
        context = self.action_context
        location = safe_location(context)
        if location is not None:
            reserve = partial(self._reserve, location)
            self.ask(Prompt("reserve a number below:", reserve, LineEditor(loi_to_reserve(context))))

    def _reserve(self, location: Location, loi: str) -> None:
        app = self.archive_app

        def reserve(stop: StopSignal) -> str:
            with app.open_safe(location) as safe:
                return safe.reserve(loi.strip())

        self.show_status(f"Reserving a number below {escape_for_display(loi.strip())}")
        self._reservations.start(_RESERVING, reserve, partial(self._reserved, location))

    def _reserved(self, location: Location, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.show_status(escape_for_display(f"✗ {describe_error(outcome.error)}"))
            return
        loi: str = outcome.value
        self.show_reserved(location, loi)
        self.show_status(f"Reserved: {escape_for_display(loi)}")
        if self.app.screen is self and not self.has_open_prompt:
            question = f"Reserved: {escape_for_display(loi)}   Y copies it · any other key goes on"
            self.ask(Prompt(question, lambda key: self._copy(loi), LineEditor(), choices=frozenset({"Y", "y"})))

    def show_reserved(self, location: Location, loi: str) -> None:
        """Shows a LOI that was just reserved, in each pane that shows its datasafe."""
        for pane in (self.active, self.other):
            if pane.location is not None and pane.location.word == location.word and pane.view == DATASAFE:
                _show_reserved(pane, loi)

    def do_safe_copy_loi(self) -> None:
        self._copy("\n".join(entry.loi for entry in picked_entries(self.action_context)))

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.show_status(f"Copied: {escape_for_display(text.replace(chr(10), ' '))}")

    # Jobs.

    def do_safe_deposit(self) -> None:
        safe_routes.open_deposit(self.archive_app, self.action_context)

    def do_safe_verify(self) -> None:
        safe_routes.start_verify_safe(self.archive_app, self.action_context, whole=True)

    def do_safe_retrieve_old(self) -> None:
        entries = picked_entries(self.action_context)
        if entries:
            latest = str(entries[0].old_versions)
            self.ask(Prompt("number of the old version (F4 lists them):", self._retrieve_old, LineEditor(latest)))

    def _retrieve_old(self, text: str) -> None:
        if not (text.strip().isascii() and text.strip().isdigit()):
            self.show_status("That is no number: F4 lists the old versions.")
            return
        safe_routes.start_retrieve(self.archive_app, self.action_context, old=int(text))

    def do_work_copy(self) -> None:
        context = self.action_context
        if can_deposit(context):
            self.do_safe_deposit()
        elif can_retrieve(context):
            safe_routes.start_retrieve(self.archive_app, context)
        else:
            super().do_work_copy()

    def do_work_verify(self) -> None:
        context = self.action_context
        if in_safe(context):
            safe_routes.start_verify_safe(self.archive_app, context)
        else:
            super().do_work_verify()

    def do_work_audit(self) -> None:
        if in_safe(self.action_context):
            self.do_work_verify()
        else:
            super().do_work_audit()

    # Looking at a LOI.

    def do_work_inspect(self) -> None:
        pane, rows, location = self.active, self.active.rows, self.active.location
        if not isinstance(rows, SafeRows) or location is None or pane.under_cursor is None:
            super().do_work_inspect()
            return
        panel = Panel(escape_for_display(pane.cursor_name or ""), (), "Esc closes · arrows scroll")
        self.open_panel(panel)
        app, entry, width = self.archive_app, rows.entry_of(pane.cursor), self.other.size.width - LABELS_WIDTH
        if entry is None:
            folder = rows.folder_of(pane.cursor)
            panel.replace_lines(folder_lines(folder, width) if folder is not None else ())
            self.refresh_panel()
            return

        def find_lines() -> list[PanelLine]:
            with app.open_safe(location) as safe:
                return loi_lines(safe, entry.loi, app.evidence_table, width)

        self._fill_panel(panel, find_lines)

    def do_work_view(self) -> None:
        pane, location = self.active, self.active.location
        entry = pane.under_cursor.entry if pane.under_cursor is not None else None
        if entry is None or location is None:
            super().do_work_view()
            return
        panel = Panel(escape_for_display(entry.loi), ((("reading …", "weak"),),), "Esc closes · arrows scroll")
        self.open_panel(panel)
        app, width = self.archive_app, self.other.size.width - PANEL_SIDES

        def find_lines() -> list[PanelLine]:
            with app.open_safe(location) as safe:
                return contents_lines(safe, entry.loi, width)

        self._fill_panel(panel, find_lines)


def _show_reserved(pane: Pane, loi: str) -> None:
    """Shows a LOI that was just reserved under the cursor, without listing all of the datasafe again."""
    rows = pane.rows
    if not isinstance(rows, SafeRows) or not rows.is_complete or rows.filtered is not None:
        pane.list_again()
        return
    rows.whole.append(SafeEntry(loi, SafeState.RESERVED))
    rows.unfold_to(loi)
    found = rows.find(loi.__eq__, 0)
    pane.move_cursor(pane.cursor if found is None else found)
    pane.refresh_changed()


def go_up_in_tree(pane: Pane, rows: SafeRows) -> bool:
    """Folds the folder under the cursor, or goes to the one in which the row lies; False at the top."""
    folder = rows.folder_of(pane.cursor) if pane.cursor < rows.count else None
    if folder is not None and rows.is_unfolded(folder):
        pane.toggle_row()
        return True
    above = rows.row_above(pane.cursor) if pane.cursor < rows.count else None
    if above is None:
        return False
    pane.move_cursor(above)
    return True
