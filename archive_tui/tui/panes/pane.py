"""A pane: one location of whatever kind, drawn by lines, frame included; only what is on the screen costs anything."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import events

from archive_tui.operations.listing import Arrangement
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.sentences import join_sentences
from archive_tui.tui.panes.pane_lines import FIRST_ROW, pane_line
from archive_tui.tui.panes.pane_messages import (
    ListingFailed,
    PaneClicked,
    PaneListed,
    RowsArrived,
    describe_failure,
    report_listing_failure,
    run_listing,
)
from archive_tui.tui.panes.panel import Panel
from archive_tui.tui.rows.dataset_rows import DatasetRows
from archive_tui.tui.rows.load_request import LoadRequest
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.pane_loading import Load, load_rows, rearranger_of, reloader_of
from archive_tui.tui.rows.pane_rows import PARENT, SORTS, EmptyRows, PaneRows, find_name, first_entry
from archive_tui.tui.rows.safe_rows import AllLois, SafeRows
from archive_tui.tui.rows.selection import PickedRows, Selected
from archive_tui.tui.widgets.line_widget import LineWidget

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location


class Pane(LineWidget):
    """`marked` holds the names of the marked rows; `signs` what a comparison says of each (None: none was made)."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self.location: Location | None = None
        self.view = "objects"
        self.arrangement = Arrangement()
        self.rows: PaneRows = EmptyRows()
        self.cursor = 0
        self.top = 0
        self.marked: set[str] = set()
        self.signs: Mapping[str, str] | None = None
        self.is_active = False
        self.is_loading = False
        self.notice: tuple[str, str] | None = None
        self.panel: Panel | None = None
        self.loaded = 0
        self._generation = 0
        self._stop = threading.Event()
        self._wanted_name: str | None = None
        self._is_untouched = True
        self._picked: PickedRows | None = None
        self._painted_version = 0
        self._tells_failure = True

    def open_location(self, location: Location, *, view: str | None = None, cursor_name: str | None = None) -> None:
        """Shows another location, or another view of this one; what was asked for before is stopped."""
        is_elsewhere = self.location is None or location.word != self.location.word or view not in (None, self.view)
        is_same_store = self.location is not None and self.location.store.identity == location.store.identity
        self.view = view or (self.view if is_same_store and self.view in location.views else location.views[0])
        if self.arrangement.sort_by not in SORTS[self.view] or (is_elsewhere and self.view == "manifest"):
            self.arrangement = replace(self.arrangement, sort_by=SORTS[self.view][0])
        self.location = location
        if is_elsewhere:
            self.marked, self.signs, self._picked = set(), None, None
            self.arrangement = replace(self.arrangement, pattern="")
            self.cursor = self.top = self.loaded = 0
            self.rows = EmptyRows()
            self._is_untouched = True
        self._wanted_name = cursor_name
        self._start(load_rows)
        self.refresh_changed()

    def list_again(self) -> None:
        if self.location is not None:
            self.open_location(self.location, cursor_name=self.cursor_name)

    def rearrange(self, arrangement: Arrangement) -> None:
        """Sorts and filters what is there; what is not yet there is listed again."""
        self.arrangement = arrangement
        self._wanted_name = self.cursor_name
        rows = self.rows
        if isinstance(rows, DatasetRows):
            rows.filter(arrangement.pattern)
            self._adopt(rows)
            self.refresh_changed()
        elif (load := rearranger_of(rows)) is not None:
            self._start(load)
        else:
            self.list_again()

    def show_news(self) -> None:
        """Repaints the rows whose state has changed; called while jobs run, it sends nothing when nothing has."""
        if isinstance(self.rows, ManifestRows) and self.rows.version != self._painted_version:
            self._painted_version = self.rows.version
            self.refresh_changed()

    def look_again(self) -> None:
        """A job has ended: the files and records behind the rows are looked at once more, or all is listed again."""
        names = [*self.marked, self.cursor_name or ""]
        if (load := reloader_of(self.rows, names)) is not None:
            self.show_news()
            self._start(load, is_quiet=True)
        else:
            self.list_again()
        self._tells_failure = False  # its notice is enough: the status line has the end of the job to tell

    def stop_listing(self) -> None:
        self._stop.set()

    def _start(self, load: Load, *, is_quiet: bool = False) -> None:
        assert self.location is not None
        self._stop.set()
        self._stop = stop = threading.Event()
        self._generation += 1
        self.is_loading, self.notice, self._tells_failure = not is_quiet, None, True
        app = self.archive_app
        expanded = frozenset(self.rows.expanded) if isinstance(self.rows, DatasetRows | SafeRows) else frozenset()
        request = LoadRequest(
            self.location,
            self.view,
            self.arrangement,
            app.evidence_table,
            app.ascii_only,
            expanded,
            states=app.manifest_states,
            names=app.known_names,
            open_safe=app.open_safe,
        )
        task = partial(run_listing, self, self._generation, load, request, stop)
        app.listing_pool.submit(task, partial(report_listing_failure, self, self._generation))

    def on_rows_arrived(self, message: RowsArrived) -> None:
        message.stop()
        if message.generation != self._generation:
            return
        self.loaded = message.loaded.loaded
        rows = message.loaded.rows
        if rows is None:
            self.refresh_lines(self.size.height - 1)
            self.show_news()
            return
        self.is_loading = not rows.is_complete
        self._adopt(rows)
        self.refresh_changed()
        if rows.is_complete:
            self.post_message(PaneListed(self, message.loaded.remark))

    def on_listing_failed(self, message: ListingFailed) -> None:
        message.stop()
        if message.generation != self._generation:
            return
        self.is_loading = False
        self.notice = describe_failure(message.error)
        self.refresh_changed()
        self.post_message(PaneListed(self, join_sentences(*self.notice) if self._tells_failure else ""))

    def _adopt(self, rows: PaneRows) -> None:
        wanted = self._wanted_name
        if wanted is None and not self._is_untouched and 0 < self.cursor < self.rows.count:
            wanted = self.rows.name(self.cursor)
        self.rows, self._picked = rows, None
        found = find_name(rows, wanted, self.cursor)
        if found is None and self._is_untouched:
            self.cursor = first_entry(rows)
        else:
            self.cursor = found if found is not None else min(self.cursor, max(0, rows.count - 1))
        if rows.is_complete:
            self._wanted_name = None
        self._scroll_to_cursor()

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - FIRST_ROW - 1)

    @property
    def cursor_name(self) -> str | None:
        return self.rows.name(self.cursor) if self.cursor < self.rows.count else None

    @property
    def under_cursor(self) -> Selected | None:
        return self.rows.selected(self.cursor) if self.cursor < self.rows.count else None

    @property
    def picked(self) -> Sequence[Selected]:
        """The marked rows in their order; without marks the row under the cursor."""
        if not self.marked:
            return () if self.under_cursor is None else (self.under_cursor,)
        if self._picked is None:
            position = self.rows.position if isinstance(self.rows, ManifestRows) else None
            rows = AllLois(self.rows.tree) if isinstance(self.rows, SafeRows) else self.rows
            self._picked = PickedRows(rows, self.marked, position)
        return self._picked

    def move_cursor(self, row: int) -> None:
        """Puts the cursor on a row, or on the nearest that there is; repaints two lines, or a page when it scrolls."""
        before, top = self.cursor, self.top
        self._is_untouched = False
        self.cursor = min(max(0, row), max(0, self.rows.count - 1))
        self._wanted_name = None
        self._scroll_to_cursor()
        if self.top != top:
            self.refresh_changed()
        elif self.cursor != before:
            self.refresh_lines(self._line_of(before), self._line_of(self.cursor))

    def move_page(self, direction: int) -> None:
        """Scrolls by a page, the cursor keeps its line; at the ends the cursor goes on alone."""
        top = max(0, min(self.top + direction * self.page, self.rows.count - self.page))
        if top == self.top:
            self.move_cursor(0 if direction < 0 else self.rows.count - 1)
            return
        self.cursor += top - self.top
        self.top = top
        self._is_untouched = False
        self._wanted_name = None
        self.refresh_changed()

    def _scroll_to_cursor(self) -> None:
        page = self.page
        if self.cursor < self.top or self.cursor >= self.top + page:
            # Half a page at once: scrolling by single lines would send the whole pane for every step.
            self.top = self.cursor - (page // 2 if self.cursor >= self.top + page else (page - 1) // 2)
        self.top = max(0, min(self.top, self.rows.count - page))

    def mark(self, names: set[str]) -> None:
        """Sets the marks to exactly these rows; `names` is the pane's from now on."""
        names.discard(PARENT)
        self.marked, self._picked = names, None
        self.refresh_changed()

    def toggle_row(self) -> None:
        """Expands or collapses the dataset or the folder of LOIs under the cursor."""
        if isinstance(self.rows, DatasetRows | SafeRows) and self.rows.toggle(self.cursor):
            self.move_cursor(self.cursor)
            self.refresh_changed()

    def toggle_mark(self) -> None:
        """Marks or unmarks the row under the cursor and goes on to the next."""
        name = self.cursor_name
        if name is not None and self.rows.can_be_marked(self.cursor):
            self._picked = None
            self.marked ^= {name}
        self.refresh_lines(self._line_of(self.cursor), self.size.height - 1)
        self.move_cursor(self.cursor + 1)

    def set_active(self, is_active: bool) -> None:
        if self.is_active != is_active:
            self.is_active = is_active
            self.refresh_lines(0, self._line_of(self.cursor))

    def show_signs(self, signs: Mapping[str, str] | None) -> None:
        """Shows what a comparison says of each name; None takes the signs away."""
        self.signs = signs
        self.refresh_changed()

    def show_notice(self, sentence: str, hint: str) -> None:
        """Says below the rows what went wrong and what to do; both are already escaped."""
        self.notice = sentence, hint
        self.refresh_changed()

    def show_panel(self, panel: Panel | None) -> None:
        self.panel = panel
        self.refresh_changed()

    def _line_of(self, row: int) -> int:
        return row - self.top + FIRST_ROW

    def line_cells(self, y: int) -> list[Cell]:
        return pane_line(self, y)

    def on_click(self, event: events.Click) -> None:
        row = self.top + event.y - FIRST_ROW
        is_row = FIRST_ROW <= event.y < self.size.height - 1 and row < self.rows.count
        self.post_message(PaneClicked(self, row if is_row else None, is_double=event.chain > 1))

    def on_mouse_scroll_down(self) -> None:
        self.move_cursor(self.cursor + 3)

    def on_mouse_scroll_up(self) -> None:
        self.move_cursor(self.cursor - 3)

    def on_resize(self) -> None:
        self._scroll_to_cursor()
