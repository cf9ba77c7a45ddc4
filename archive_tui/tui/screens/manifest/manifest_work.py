"""The work on manifests and vaults that the browse screen offers: check, ask, archive, fetch, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual.message import Message

from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.manifest_files import is_manifest_file
from archive_tui.names.quantities import NOT_KNOWN, format_count, format_total
from archive_tui.tui import manifest_routes, routes
from archive_tui.tui.actions.browse_actions import can_copy_files, can_fetch
from archive_tui.tui.actions.manifest_actions import (
    can_copy_lines,
    in_manifest,
    in_vault,
    is_archiving,
    listed_part,
)
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.vault_rows import VaultRows
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.screens.manifest.create_panel import CreatePanel

if TYPE_CHECKING:
    from archive_tui.tui.panes.pane import Pane
    from archive_tui.tui.screens.browse.browse_screen import BrowseScreen


MOST_ADDED_UP = 10_000
"""Marked lines whose sizes are added up for a question; of more, only the count is said."""


class FileToVerify(Message, bubble=False):
    """What a thread has found out about the file under the cursor; `path` None: it is no manifest."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self.path = path


class ManifestWork(ActionScreen):
    """Mixed into the browse screen; `active` is its own. `vaults_in_use` are by the path of the manifest that was used
    with them last."""

    def __init__(self) -> None:
        super().__init__()
        self.vaults_in_use: dict[Path, Vault] = {}

    def vault_in_use(self, pane: Pane) -> Vault | None:
        document = pane.location.document if pane.location is not None else None
        return self.vaults_in_use.get(document) if document is not None else None

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...

    def do_work_copy(self) -> None:
        context = self.action_context
        if is_archiving(context):
            self.do_vault_archive()
        elif can_copy_lines(context):
            self.do_vault_fetch()
        elif context.source is None or context.target is None:
            return
        elif not can_fetch(context) and can_copy_files(context):
            routes.start_copy(self.archive_app, context.source, context.target, tuple(context.picked))
        else:
            routes.start_fetch(self.archive_app, context.source, context.target, tuple(context.picked))

    def do_work_publish(self) -> None:
        context = self.action_context
        if context.source is not None and context.target is not None:
            routes.open_publish(self.archive_app, context.source, context.target, tuple(context.picked))

    def do_work_verify(self) -> None:
        context = self.action_context
        if in_manifest(context):
            manifest_routes.start_check(self.archive_app, context)
        elif in_vault(context):
            manifest_routes.start_verify_contents(self.archive_app, context)
        elif (path := self._file_under_cursor()) is not None:
            self._look_whether_manifest(path)
        else:
            self._verify_place()

    def _look_whether_manifest(self, path: Path) -> None:
        """It is found out in the background: the file may lie on a disk that does not answer."""

        def look() -> None:
            self.post_message(FileToVerify(path if is_manifest_file(path) else None))

        def give_up(error: Exception) -> None:
            self.post_message(FileToVerify(None))

        self.archive_app.listing_pool.submit(look, give_up)

    def on_file_to_verify(self, message: FileToVerify) -> None:
        if self.app.screen is not self or self.has_open_prompt:
            return  # the user has gone on
        if message.path is not None:
            manifest_routes.start_check_of_file(self.archive_app, message.path)
        else:
            self._verify_place()

    def _file_under_cursor(self) -> Path | None:
        """The one file that is picked in a folder of this machine."""
        context = self.action_context
        folder = context.source.folder if context.source is not None else None
        first = context.first
        if folder is None or first is None or first.is_folder or first.dataset is not None or context.is_marked:
            return None
        return folder / first.name

    def _verify_place(self) -> None:
        context = self.action_context
        if context.source is not None:
            routes.start_verify(self.archive_app, context.source, tuple(context.picked))

    def do_work_audit(self) -> None:
        context = self.action_context
        if in_manifest(context) or in_vault(context):
            self.do_work_verify()
        elif context.source is not None:
            routes.open_audit(self.archive_app, context.source, tuple(context.picked))

    def do_vault_ask(self) -> None:
        manifest_routes.start_ask(self.archive_app, self.action_context, describe_lines(self.active))

    def do_vault_archive(self) -> None:
        manifest_routes.start_archive(self.archive_app, self.action_context, describe_lines(self.active))

    def do_vault_fetch(self) -> None:
        context = self.action_context
        if in_manifest(context):
            manifest_routes.start_fetch_lines(self.archive_app, context, describe_lines(self.active))
            return
        wanted = {selected.digest for selected in context.picked if selected.digest is not None}
        manifest_routes.start_fetch_contents(self.archive_app, context, _known_names(self.active, wanted))

    def do_vault_verify(self) -> None:
        manifest_routes.start_verify_contents(self.archive_app, self.action_context, whole=True)

    def do_manifest_create(self) -> None:
        part = listed_part(self.action_context)
        if part is not None:
            CreatePanel(cast("BrowseScreen", self), part).show()


def describe_lines(pane: Pane) -> str:
    """How many lines a key means, and how much that is: `12 lines (3.1 MB)`."""
    rows = pane.rows
    if not isinstance(rows, ManifestRows):
        return "all lines"
    if not pane.marked:
        count = len(rows.table) - rows.table.bad_lines
        total = format_total(rows.table.total_bytes, count - rows.table.sizes_known)
        every = "all " if rows.arrangement.pattern else ""
        return f"{every}{_add_size(count, total)}" if rows.is_complete else "all lines"
    count = len(pane.picked)
    if count > MOST_ADDED_UP:
        return format_count(count, "line")
    sizes = [selected.size for selected in pane.picked]
    return _add_size(count, format_total(sum(size or 0 for size in sizes), sum(size is None for size in sizes)))


def _add_size(count: int, total: str) -> str:
    lines = format_count(count, "line")
    return lines if total == NOT_KNOWN else f"{lines} ({total})"


def _known_names(pane: Pane, wanted: set[str]) -> dict[str, str]:
    """The first known name of each content, by digest."""
    rows = pane.rows
    if not isinstance(rows, VaultRows):
        return {}
    found = {}
    for row in range(rows.count):
        if rows.name(row) in wanted and (names := rows.names_of(rows.position(row))):
            found[rows.name(row)] = names[0]
    return found
