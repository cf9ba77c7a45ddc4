"""Rows of the view *objects*: folders and objects of one level, out of a table that may hold a million."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.names.dataset_names import parse_dataset_archive_name
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import NOT_KNOWN, format_number, format_size, format_total
from archive_tui.operations.listing import ArrangedRows, Arrangement, EntryTable
from archive_tui.operations.listing_comparison import ListedItem
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.glyphs import name_in_ascii
from archive_tui.tui.lines.states import IntegrityState, format_state, state_of
from archive_tui.tui.lines.times import format_age, format_time
from archive_tui.tui.rows.pane_rows import PARENT, Column, find_row
from archive_tui.tui.rows.selection import Selected

MOST_ADDED_UP = 20_000
"""Rows up to which the sizes of the marked ones are added up for every painting of the sum."""

WIDE, MIDDLE = 68, 46
"""Cells from which on there is room for the full time of change; for its age, and for the word of the state."""


@dataclass(slots=True)
class ObjectRows:
    """`prefix` is that of the location. `shows_listed`: objects of which nothing is known say "listed" (storages); in
    a user's own folder that would be noise. `now` is when the rows were made: ages do not change under the cursor."""

    table: EntryTable
    arranged: ArrangedRows
    arrangement: Arrangement
    prefix: str
    has_parent: bool
    shows_listed: bool
    now: float
    is_complete: bool = False
    ascii_only: bool = False

    @property
    def count(self) -> int:
        return len(self.arranged.order) + self.has_parent

    def columns(self, width: int) -> tuple[Column, ...]:
        columns = [Column("name", 0, gap=""), Column("size", 6, True, gap="  ")]
        if width >= WIDE:
            columns.append(Column("modified", 11, True))
        elif width >= MIDDLE:
            columns.append(Column("age", 5, True))
        if self.shows_listed or self.table.evidence:
            columns.append(Column("state", 15 if width >= MIDDLE else 9, gap="  "))
        return tuple(columns)

    def cells(self, row: int, columns: tuple[Column, ...]) -> Sequence[Cell]:
        index = self._index(row)
        if index is None:
            return [(PARENT, "")] + [("", "")] * (len(columns) - 1)
        is_folder = self.table.is_folder(index)
        size = self.table.size(index)
        name = escape_for_display(self.table.names[index])
        by_title: dict[str, Cell] = {
            "name": (name_in_ascii(name) if self.ascii_only else name, "folder" if is_folder else ""),
            "size": ("" if is_folder else NOT_KNOWN if size is None else format_size(size), ""),
            "modified": (format_time(self.table.modified(index), self.now), "weak"),
            "age": (format_age(self.table.modified(index), self.now), "weak"),
        }
        return [by_title.get(column.title) or self._state_cell(index, column.width) for column in columns]

    def _state_cell(self, index: int, width: int) -> Cell:
        if self.table.is_folder(index):
            return "", ""
        evidence = self.table.evidence.get(index)
        if evidence is None and not self.shows_listed:
            return "", ""
        state = state_of(evidence, is_stale=index in self.table.stale)
        checked_at = evidence.checked_at if evidence is not None else None
        text = format_state(state, checked_at, with_word=width > 10, ascii_only=self.ascii_only, now=self.now)
        return text, state.value.style

    def name(self, row: int) -> str:
        index = self._index(row)
        return PARENT if index is None else self.table.names[index]

    def size(self, row: int) -> int | None:
        index = self._index(row)
        return None if index is None else self.table.size(index)

    def state(self, row: int) -> IntegrityState | None:
        index = self._index(row)
        if index is None or self.table.is_folder(index):
            return None
        return state_of(self.table.evidence.get(index), is_stale=index in self.table.stale)

    def can_be_marked(self, row: int) -> bool:
        return row >= self.has_parent

    def selected(self, row: int) -> Selected | None:
        index = self._index(row)
        if index is None:
            return None
        name = self.table.names[index]
        key = self.prefix + name.rstrip("/")
        dataset, version = parse_dataset_archive_name(key) or (None, None)
        if self.table.is_folder(index):
            dataset, version = None, None
        return Selected(name, key, self.table.is_folder(index), self.table.size(index), dataset, version)

    def find(self, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
        return find_row(self, accepts, start, step)

    def items(self) -> dict[str, ListedItem]:
        table = self.table
        return {table.names[index]: ListedItem(table.size(index), self._digest(index)) for index in self.arranged.order}

    def _digest(self, index: int) -> str | None:
        """The digest that was proven of the object as it is now; None without one."""
        evidence = self.table.evidence.get(index)
        if evidence is None or index in self.table.stale or evidence.level is EvidenceLevel.DAMAGED:
            return None
        return evidence.digest

    def summary(self, marked: set[str], loaded: int) -> str:
        shown = len(self.arranged.order)
        total = self.arranged.covered - self.arranged.hidden
        parts = [f"{format_number(shown)} of {format_number(total) if self.is_complete else '?'}"]
        if not self.is_complete:
            parts = [f"{format_number(max(shown, loaded))} of ?", "loading"]
        if self.arrangement.pattern:
            covered = "all" if self.is_complete else format_number(self.arranged.covered)
            parts = [f'"{escape_for_display(self.arrangement.pattern)}" {format_number(shown)} of {covered}']
            if self.is_complete:
                parts = [
                    f'"{escape_for_display(self.arrangement.pattern)}" {format_number(shown)} of {format_number(total)}'
                ]
        if marked:
            parts += [f"{format_number(len(marked))} marked"]
            parts += [self._marked_size(marked)] if shown <= MOST_ADDED_UP else []
        elif self.is_complete:
            parts += [format_total(self.arranged.total_bytes, self.arranged.unknown_sizes)]
            if self.arranged.hidden:
                parts += [f"{format_number(self.arranged.hidden)} hidden"]
        return " · ".join(parts)

    def _marked_size(self, marked: set[str]) -> str:
        table = self.table
        files = [at for at in self.arranged.order if table.names[at] in marked and not table.is_folder(at)]
        sizes = [table.size(index) for index in files]
        return format_total(sum(size or 0 for size in sizes), sizes.count(None))

    def _index(self, row: int) -> int | None:
        """Position in the table; None for the way up. Raises: IndexError."""
        if row < 0:
            raise IndexError(row)
        if self.has_parent:
            return None if row == 0 else self.arranged.order[row - 1]
        return self.arranged.order[row]
