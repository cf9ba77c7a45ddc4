"""Opening a file of this machine: a checksum manifest becomes a pane, anything else is viewed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.screens.action_screen import ActionScreen

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.panes.pane import Pane


class FileLookedAt(Message, bubble=False):
    """What a thread has found out about a file that the user wants to open."""

    def __init__(self, pane: Pane, path: Path, name: str, *, is_manifest: bool) -> None:
        super().__init__()
        self.pane = pane
        self.path = path
        self.name = name
        self.is_manifest = is_manifest


class BrowseManifests(ActionScreen):
    """Mixed into the browse screen; `active`, `go_to` and `do_work_view` are its own."""

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...

        def go_to(self, pane: Pane, location: Location, *, cursor_name: str | None = None) -> None: ...
        def do_work_view(self) -> None: ...

    def open_file(self, pane: Pane, selected: Selected) -> None:
        """Looks in the background whether it is a manifest, then opens or views it, unless the user has gone on."""
        from archive_tui.archives.vault.views.manifest_files import is_manifest_file

        assert pane.location is not None and pane.location.folder is not None
        path = pane.location.folder / selected.name

        def look() -> None:
            is_manifest = is_manifest_file(path)
            self.post_message(FileLookedAt(pane, path, selected.name, is_manifest=is_manifest))

        def view(error: Exception) -> None:
            self.post_message(FileLookedAt(pane, path, selected.name, is_manifest=False))

        self.archive_app.listing_pool.submit(look, view)

    def on_file_looked_at(self, message: FileLookedAt) -> None:
        pane = message.pane
        if self.has_open_prompt or pane is not self.active or pane.cursor_name != message.name:
            return
        if pane.location is None or pane.location.folder != message.path.parent:
            return
        if message.is_manifest:
            from archive_tui.archives.locations import open_manifest_location

            self.go_to(pane, open_manifest_location(message.path, self.archive_app.settings))
        else:
            self.do_work_view()
