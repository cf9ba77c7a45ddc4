"""File operations of the browse screen: move, rename, delete, new folder, and the properties of files and objects."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from archive_tui.names.display import escape_for_display
from archive_tui.tui import file_routes
from archive_tui.tui.actions.file_actions import in_files
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.panes.file_properties import count_lines, trait_lines
from archive_tui.tui.panes.panel import Panel, PanelLine
from archive_tui.tui.panes.panel_contents import property_lines
from archive_tui.tui.screens.browse.browse_panels import LABELS_WIDTH, BrowsePanels, PanelFilled
from archive_tui.tui.submitting import find_services
from archive_tui.tui.tasks import Outcome, Tasks
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.panes.pane import Pane

_RENAMING, _MAKING = "rename", "folder"


class BrowseFiles(BrowsePanels):
    """Mixed into the browse screen; what is not about files and objects goes on to the others."""

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...
        @property
        def other(self) -> Pane: ...

    @cached_property
    def _file_tasks(self) -> Tasks:
        return Tasks(self, self.archive_app.listing_pool)

    def do_files_move(self) -> None:
        context = self.action_context
        if context.source is not None and context.target is not None:
            file_routes.start_move(self.archive_app, context.source, context.target, context.picked)

    def do_files_delete(self) -> None:
        context = self.action_context
        if context.source is not None:
            file_routes.open_delete(self.archive_app, context.source, context.picked)

    # Rename.

    def do_files_rename(self) -> None:
        context = self.action_context
        if context.source is None or context.first is None:
            return
        if len(context.picked) > 1:
            file_routes.open_renaming(self.archive_app, context.source, context.picked)
            return
        selection = file_routes.select_files(context.source, context.picked)
        name = context.first.name.rstrip("/")
        editor = LineEditor(name)
        stem, dot, _ = name.rpartition(".")
        if dot and stem and not context.first.is_folder:
            editor.cursor = len(stem)
        self.ask(Prompt("rename to:", partial(self._rename, selection), editor))

    def _rename(self, selection: file_routes.FileSelection, new: str) -> None:
        if new == selection.names[0].rstrip("/"):
            self.show_status("The name stays as it is.")
            return
        settings = self.archive_app.settings
        self._file_tasks.start(
            _RENAMING,
            lambda stop: file_routes.plan_new_name(selection, new, settings, stop),
            partial(self._renaming_planned, selection),
        )

    def _renaming_planned(self, selection: file_routes.FileSelection, outcome: Outcome) -> None:
        services = find_services(self.archive_app)
        if outcome.error is not None:
            self.show_status(escape_for_display(f"✗ {describe_error(outcome.error)}"))
        elif services is not None:
            file_routes.submit_renames(self.archive_app, services, selection, outcome.value)

    # New folder.

    def do_files_new_folder(self) -> None:
        location = self.active.location
        if location is not None:
            self.ask(Prompt("new folder:", partial(self._make_folder, self.active, location), LineEditor()))

    def _make_folder(self, pane: Pane, location: Location, text: str) -> None:
        name = text.strip().strip("/")
        if not name:
            self.show_status("A folder needs a name: nothing was made.")
            return
        settings = self.archive_app.settings
        self._file_tasks.start(
            _MAKING,
            lambda stop: file_routes.make_new_folder(location, name, settings),
            partial(self._folder_made, pane, location, name),
        )

    def _folder_made(self, pane: Pane, location: Location, name: str, outcome: Outcome) -> None:
        error, shown = outcome.error, escape_for_display(name)
        is_there = pane.location is not None and pane.location.word == location.word
        if error is not None and error.code != "folders-by-name":
            self.show_status(escape_for_display(f"✗ {describe_error(error)}"))
        elif error is not None:
            if is_there:
                self.go_to(pane, location.child(f"{name}/"))
            self.show_status(f"{shown} is open, and comes into being with the first object that is put here.")
        else:
            if is_there:
                pane.open_location(location, view=pane.view, cursor_name=f"{name.partition('/')[0]}/")
            self.show_status(f"Made the folder {shown}.")

    # Properties.

    def do_work_inspect(self) -> None:
        context, pane = self.action_context, self.active
        location, selected = context.source, pane.under_cursor
        if location is None or not in_files(context):
            super().do_work_inspect()
            return
        name = selected.name if selected is not None else location.title
        panel = Panel(escape_for_display(name), (), "Esc closes · arrows scroll")
        self.open_panel(panel)
        evidence, width = self.archive_app.evidence_table, self.other.size.width - LABELS_WIDTH

        def find_lines() -> list[PanelLine]:
            lines = property_lines(location, selected, evidence, width)
            if selected is not None and not selected.is_folder:
                return lines
            prefix = location.prefix if selected is None else f"{location.key(selected.name)}/"
            counting: PanelLine = (("counting what lies below …", "weak"),)
            self.post_message(PanelFilled(panel, [*lines, counting]))
            lines += count_lines(location.store, prefix, width, lambda: not self._shows(panel))
            return [*lines, *(trait_lines(location.store, width) if selected is None else [])]

        self._fill_panel(panel, find_lines)

    def _shows(self, panel: Panel) -> bool:
        return self._panel_pane is not None and self._panel_pane.panel is panel
