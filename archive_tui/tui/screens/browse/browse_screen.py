"""The browse screen: two panes of one kind, a title, a status line, a key line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal

from archive_tui.errors import ArchiveError
from archive_tui.names.display import escape_for_display
from archive_tui.tui import routes
from archive_tui.tui.actions.browse_actions import BROWSE_GROUPS
from archive_tui.tui.actions.registry import ActionContext
from archive_tui.tui.panes.pane import Pane
from archive_tui.tui.panes.pane_messages import PaneClicked, PaneListed
from archive_tui.tui.rows.dataset_rows import DatasetRows
from archive_tui.tui.rows.pane_rows import PARENT
from archive_tui.tui.rows.safe_rows import SafeRows
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.screens.browse.browse_files import BrowseFiles
from archive_tui.tui.screens.browse.browse_find import BrowseFind
from archive_tui.tui.screens.browse.browse_manifests import BrowseManifests
from archive_tui.tui.screens.browse.browse_marks import BrowseMarks
from archive_tui.tui.screens.browse.browse_prompts import BrowsePrompts
from archive_tui.tui.screens.browse.browse_safes import BrowseSafes, go_up_in_tree
from archive_tui.tui.widgets.key_line import KeyLine
from archive_tui.tui.widgets.small_terminal import SmallTerminal
from archive_tui.tui.widgets.status_line import StatusLine
from archive_tui.tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location

LONG_LISTING = 20_000
"""Rows above which a pane is listed again only when the user asks for it."""


class BrowseScreen(BrowseMarks, BrowsePrompts, BrowseFind, BrowseFiles, BrowseSafes, BrowseManifests, ActionScreen):
    action_groups: ClassVar[tuple[str, ...]] = BROWSE_GROUPS

    def __init__(self, locations: tuple[Location | str, Location | str]) -> None:
        super().__init__()
        self._first = locations
        self._waiting_for_rows: set[Pane] = set()
        self.left = Pane(id="left")
        self.right = Pane(id="right")

    def compose(self) -> ComposeResult:
        yield TitleLine(id="title")
        with Horizontal(id="panes"):
            yield self.left
            yield self.right
        yield StatusLine(id="status")
        yield KeyLine(id="keys")
        yield SmallTerminal()

    def on_mount(self) -> None:
        self.left.is_active = True
        for pane, where in zip((self.left, self.right), self._first, strict=True):
            self._open_first(pane, where)
        if self.archive_app.greeting and self.status_line is not None and not self.status_line.sentence:
            self.status_line.say(self.archive_app.greeting, with_time=False)

    def _open_first(self, pane: Pane, where: Location | str) -> None:
        try:
            location = self.open_word(where) if isinstance(where, str) else where
        except ArchiveError as error:
            pane.show_notice(escape_for_display(error.message), escape_for_display(error.hint))
            return
        self._waiting_for_rows.add(pane)
        pane.open_location(location)

    # The two panes.

    @property
    def active(self) -> Pane:
        return self.right if self.right.is_active else self.left

    @property
    def other(self) -> Pane:
        return self.left if self.right.is_active else self.right

    @property
    def action_context(self) -> ActionContext:
        pane = self.active
        here, there, vault = pane.location, self.other.location, self.vault_in_use(pane)
        return ActionContext(
            here,
            there,
            pane.view,
            pane.picked,
            is_marked=bool(pane.marked),
            vault=vault,
            target_view=self.other.view,
            under_other=self.other.under_cursor,
        )

    def activate(self, pane: Pane) -> None:
        if not pane.is_active:
            self.active.set_active(False)
            pane.set_active(True)
            self.draw_keys()

    def on_pane_listed(self, message: PaneListed) -> None:
        self._waiting_for_rows.discard(message.pane)
        self.draw_keys()
        if not self._waiting_for_rows:
            self.archive_app.release_first_paint()
        if message.sentence:
            self.show_status(message.sentence)

    def on_pane_clicked(self, message: PaneClicked) -> None:
        self.activate(message.pane)
        if message.row is not None:
            message.pane.move_cursor(message.row)
            if message.is_double:
                self.do_pane_open()

    def do_pane_other(self) -> None:
        self.activate(self.other)

    def do_cursor_up(self) -> None:
        self.active.move_cursor(self.active.cursor - 1)

    def do_cursor_down(self) -> None:
        self.active.move_cursor(self.active.cursor + 1)

    def do_cursor_page_up(self) -> None:
        self.active.move_page(-1)

    def do_cursor_page_down(self) -> None:
        self.active.move_page(1)

    def do_cursor_home(self) -> None:
        self.active.move_cursor(0)

    def do_cursor_end(self) -> None:
        self.active.move_cursor(self.active.rows.count - 1)

    def list_after_job(self) -> None:
        """A job has ended: what it made, or proved, is shown. Very long listings are left as they are."""
        for pane in (self.left, self.right):
            if not pane.is_loading and (pane.rows.count <= LONG_LISTING or isinstance(pane.rows, SafeRows)):
                pane.look_again()

    def show_news(self) -> None:
        """Repaints the lines whose state a running job has changed."""
        for pane in (self.left, self.right):
            pane.show_news()

    # Where to.

    def go_to(self, pane: Pane, location: Location, *, cursor_name: str | None = None) -> None:
        """Opens a location in a pane and remembers where the pane was."""
        if pane.location is not None:
            self.remember(pane.location)
        pane.open_location(location, cursor_name=cursor_name)

    def do_pane_open(self) -> None:
        pane, selected = self.active, self.active.under_cursor
        if pane.location is None:
            return
        if selected is None:
            if pane.cursor_name == PARENT:
                self.do_pane_up()
        elif isinstance(pane.rows, DatasetRows) or (isinstance(pane.rows, SafeRows) and selected.is_folder):
            pane.toggle_row()
        elif isinstance(pane.rows, SafeRows):
            self.do_work_view()
        elif selected.is_folder:
            self.go_to(pane, pane.location.child(selected.name))
        elif pane.location.folder is not None:
            self.open_file(pane, selected)
        else:
            self.do_work_view()

    def do_pane_up(self) -> None:
        pane = self.active
        if pane.view == "vault":
            self.show_status("The vault is shown whole: v shows the objects and datasets of the storage.")
            return
        if isinstance(pane.rows, SafeRows) and go_up_in_tree(pane, pane.rows):
            return
        here = pane.location
        while pane.view == "datasafe" and here is not None and here.parent is not None and here.folder is not None:
            if here.prefix == here.safe_prefix:
                break  # the whole datasafe is one pane: up is out of it
            here = here.parent
        if here is None or here.parent is None or (pane.view == "datasafe" and here.folder is None):
            self.show_status("This is the top.")
            return
        self.go_to(pane, here.parent, cursor_name=here.name_in_parent)

    def do_dismiss(self) -> None:
        if self.stop_marking():
            self.show_status("Stopped: the marks are as they were.")
        elif self.active.is_loading:
            self.active.stop_listing()
            self.show_status("Stopping the listing.")

    def do_pane_refresh(self) -> None:
        self.active.list_again()

    def do_pane_same(self) -> None:
        if self.active.location is not None:
            self.go_to(self.other, self.active.location)

    def do_pane_swap(self) -> None:
        left, right = self.left.location, self.right.location
        if left is None or right is None:
            return
        views = self.left.view, self.right.view
        self.left.open_location(right, view=views[1], cursor_name=self.right.cursor_name)
        self.right.open_location(left, view=views[0])

    def do_pane_view(self) -> None:
        pane = self.active
        if pane.location is None or len(pane.location.views) < 2:
            self.show_status("This location has only this view.")
            return
        views = pane.location.views
        pane.open_location(pane.location, view=views[(views.index(pane.view) + 1) % len(views)])

    # Work: the other screens do it.

    def do_jobs(self) -> None:
        routes.open_jobs(self.archive_app)

    def do_connections(self) -> None:
        routes.open_connections(self.archive_app)

    def do_tour(self) -> None:
        self.show_status("Leave with q and run: archive-tui demo")
