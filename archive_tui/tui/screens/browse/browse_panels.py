"""The panels of the browse screen, in the place of the other pane: help, palette, places, properties, preview."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.panes.content_properties import content_lines, line_lines
from archive_tui.tui.panes.pane_messages import describe_failure
from archive_tui.tui.panes.panel import Panel, PanelLine
from archive_tui.tui.panes.panel_contents import (
    help_lines,
    palette_lines,
    place_lines,
    preview_lines,
    property_lines,
    read_preview,
)
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.vault_rows import VaultRows
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.panes.pane import Pane

RECENT_LOCATIONS = 20
LABELS_WIDTH = 13
"""Cells of a panel that the values of properties do not get: its sides, and the names of the properties."""


class PanelFilled(Message):
    """What a thread has found out for a panel that is open."""

    def __init__(self, panel: Panel, lines: list[PanelLine]) -> None:
        super().__init__()
        self.panel = panel
        self.lines = lines


class BrowsePanels(ActionScreen):
    """Mixed into the browse screen; `active`, `other` and `go_to` are its own."""

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...
        @property
        def other(self) -> Pane: ...

        def go_to(self, pane: Pane, location: Location, *, cursor_name: str | None = None) -> None: ...

    _panel_pane: Pane | None = None

    def __init__(self) -> None:
        super().__init__()
        self.recent: list[Location] = []
        self.bookmarks: list[Location] = []

    def open_panel(self, panel: Panel, *, typing: Prompt | None = None) -> None:
        """Shows a panel in the place of the other pane; its keys go through a question in the status line."""
        self._panel_pane = self.other
        self._panel_pane.show_panel(panel)
        self.ask(typing or Prompt(panel.footer, lambda text: self.close_panel(), LineEditor(), is_silent=True))
        prompt = self.status_line.prompt if self.status_line is not None else None
        if prompt is not None:
            prompt.intercept = prompt.intercept or partial(self._panel_key, panel)
            prompt.cancelled = self.close_panel

    def refresh_panel(self) -> None:
        """Repaints what has changed in the panel that is open."""
        if self._panel_pane is not None:
            self._panel_pane.refresh_changed()

    def close_panel(self) -> None:
        self.close_prompt()
        if self._panel_pane is not None:
            self._panel_pane.show_panel(None)
            self._panel_pane = None

    def _panel_key(self, panel: Panel, key: str, closing: str = "q") -> bool:
        pane = self._panel_pane
        if pane is None:
            return False
        height = max(1, pane.size.height - 2)
        steps = {"up": -1, "down": 1, "pageup": -height, "pagedown": height, "home": -1 << 40, "end": 1 << 40}
        if key in steps:
            panel.move(steps[key], height)
            pane.refresh_changed()
            return True
        if key in closing or (key in ("question_mark", "f1") and panel.kind == "text"):
            self.close_panel()
            return True
        if key == "enter" and panel.accept is not None and panel.lines:
            self.close_panel()
            panel.accept(panel.cursor)
            return True
        return panel.kind == "text" and key != "escape" and key != "enter"

    # Help and palette.

    def do_help(self) -> None:
        lines = help_lines(self.actions_here, self.archive_app.keymap)
        self.open_panel(Panel("help: keys", lines, "Esc closes · arrows scroll"))

    def do_palette(self) -> None:
        self._open_palette("actions", "Enter does it · Tab copies command", self.run_registered)

    def do_command(self) -> None:
        self._open_palette("copy as a command", "Enter copies it", self.copy_command, only_commands=True)

    def _open_palette(self, title: str, footer: str, accept: object, *, only_commands: bool = False) -> None:
        context = self.action_context
        keymap = self.archive_app.keymap
        possible = [action for action in self.actions_here if not only_commands or action.command_line(context)]
        if not possible:
            self.show_status("Nothing that can be done here has a command line.")
            return
        chosen: list[Action] = list(possible)
        panel = Panel(title, palette_lines(chosen, keymap, context), footer, has_cursor=True, kind="palette")
        panel.accept = lambda position: accept(chosen[position])  # type: ignore[operator]

        def filter_by(text: str) -> None:
            words = text.casefold().split()
            chosen[:] = [action for action in possible if all(word in action.title.casefold() for word in words)]
            panel.replace_lines(palette_lines(chosen, keymap, context))
            if self._panel_pane is not None:
                self._panel_pane.refresh_changed()

        def intercept(key: str) -> bool:
            if key == "tab" and chosen:
                action = chosen[panel.cursor]
                self.close_panel()
                self.copy_command(action)
                return True
            return self._panel_key(panel, key, closing="")

        prompt = Prompt(":", lambda text: self.close_panel(), LineEditor(), changed=filter_by, intercept=intercept)
        self.open_panel(panel, typing=prompt)

    def copy_command(self, action: Action) -> None:
        """Copies the equivalent command line through the terminal (OSC 52), and shows it."""
        command = action.command_line(self.action_context)
        if command is None:
            self.show_status(f"{action.title}: no command does this: part of a folder, or a folder that is no storage.")
            return
        self.app.copy_to_clipboard(command)
        self.show_status(f"Copied: {escape_for_display(command)}")

    # Places.

    def remember(self, location: Location) -> None:
        """Puts a location at the head of the recent ones."""
        self.recent = [known for known in self.recent if known.word != location.word]
        self.recent.insert(0, location)
        del self.recent[RECENT_LOCATIONS:]

    def do_pane_bookmark(self) -> None:
        location = self.active.location
        if location is None:
            return
        known = [place for place in self.bookmarks if place.word != location.word]
        is_new = len(known) == len(self.bookmarks)
        self.bookmarks = [*known, location] if is_new else known
        self.show_status(f"{'Bookmarked' if is_new else 'No bookmark any more'}: {escape_for_display(location.title)}")

    def do_pane_recent(self) -> None:
        storages = [self.storage_location(name) for name in self.storage_names()]
        places = [*((place, "bookmark") for place in self.bookmarks), *((place, "recent") for place in self.recent)]
        places += [(place, "storage") for place in storages if place is not None]
        panel = Panel("go to", place_lines(places), "Enter opens it here", has_cursor=True, kind="places")
        panel.accept = lambda position: self.go_to(self.active, places[position][0])
        self.open_panel(panel)

    def storage_names(self) -> list[str]:
        from archive_tui.archives.storages import storage_names

        return storage_names(self.archive_app.settings)

    def storage_location(self, name: str) -> Location | None:
        """None for a storage whose settings cannot be used."""
        from archive_tui.archives.locations import open_storage_location
        from archive_tui.errors import ArchiveError

        try:
            return open_storage_location(self.archive_app.settings, name)
        except ArchiveError:
            return None

    # Properties and preview.

    def do_work_inspect(self) -> None:
        pane, selected = self.active, self.active.under_cursor
        location = pane.location
        if location is None:
            return
        evidence = self.archive_app.evidence_table
        name = selected.name if selected else pane.cursor_name if pane.cursor else location.title
        panel = Panel(escape_for_display(name or location.title), (), "Esc closes")
        self.open_panel(panel)
        rows, row, width = pane.rows, pane.cursor, self.other.size.width - LABELS_WIDTH

        def find_lines() -> list[PanelLine]:
            if isinstance(rows, VaultRows) and selected is not None:
                return content_lines(location, rows, row, evidence, width)
            if isinstance(rows, ManifestRows) and 0 < row < rows.count:
                return line_lines(location, rows, row, evidence, width)
            return property_lines(location, selected, evidence, width)

        self._fill_panel(panel, find_lines)

    def do_work_view(self) -> None:
        location, selected = self.active.location, self.active.under_cursor
        if location is None or selected is None or selected.is_folder:
            return
        panel = Panel(escape_for_display(selected.name), ((("reading …", "weak"),),), "Esc closes · arrows scroll")
        self.open_panel(panel)
        width = self.other.size.width - 3
        self._fill_panel(panel, lambda: preview_lines(read_preview(location.store, selected.key), selected.size, width))

    def _fill_panel(self, panel: Panel, find_lines: object) -> None:
        def fill() -> None:
            self.post_message(PanelFilled(panel, find_lines()))  # type: ignore[operator]

        def fail(error: Exception) -> None:
            sentence, hint = describe_failure(error)
            self.post_message(PanelFilled(panel, [((sentence, "doubtful"),), ((hint, ""),)]))

        self.archive_app.listing_pool.submit(fill, fail)

    def on_panel_filled(self, message: PanelFilled) -> None:
        message.panel.replace_lines(message.lines)
        if self._panel_pane is not None and self._panel_pane.panel is message.panel:
            self._panel_pane.refresh_changed()
