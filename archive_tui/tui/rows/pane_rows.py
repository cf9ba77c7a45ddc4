"""What a pane shows: rows of any location in one form, so that the pane never asks what kind of place it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive_tui.operations.listing import SortBy
from archive_tui.operations.listing_comparison import ListedItem
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.rows.selection import Selected

PARENT = ".."

SORTS: Mapping[str, tuple[SortBy, ...]] = {
    "objects": (SortBy.NAME, SortBy.SIZE, SortBy.MODIFIED),
    "datasets": (SortBy.NAME,),
    "vault": (SortBy.NAME, SortBy.SIZE, SortBy.NAMES, SortBy.STATE),
    "datasafe": (SortBy.NAME,),
    "manifest": (SortBy.LINE, SortBy.NAME, SortBy.SIZE, SortBy.STATE),
}
"""In which orders each view can be shown, the natural one first."""


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells, 0: takes what is left, and is the first one. `gap` is what stands before it."""

    title: str
    width: int
    is_right: bool = False
    gap: str = " "


class PaneRows(Protocol):
    """Rows by position. `count` includes the way up, where there is one, as row 0."""

    is_complete: bool

    @property
    def count(self) -> int: ...

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit into `width` cells."""

    def cells(self, row: int, columns: tuple[Column, ...]) -> Sequence[Cell]:
        """One cell for each of `columns`."""

    def name(self, row: int) -> str:
        """Tells the row from all others, also after it was listed again."""

    def can_be_marked(self, row: int) -> bool:
        """False for the way up, and for what cannot be worked on."""

    def selected(self, row: int) -> Selected | None:
        """None for rows that cannot be marked."""

    def find(self, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
        """The first row from `start` on whose name is accepted, going round once."""

    def items(self) -> dict[str, ListedItem]:
        """What is known of each name, for a comparison."""

    def summary(self, marked: set[str], loaded: int) -> str:
        """How much there is and how sure that is: `12 of 12 · 4.2 GB`. `loaded`: what has come by now."""


def find_row(rows: PaneRows, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
    """Raises nothing: an empty pane has no such row."""
    for offset in range(rows.count):
        row = (start + step * offset) % rows.count
        if accepts(rows.name(row)):
            return row
    return None


def find_name(rows: PaneRows, wanted: str | None, near: int) -> int | None:
    """The row of that name; looks first where it was."""
    if wanted is None:
        return None
    if near < rows.count and rows.name(near) == wanted:
        return near
    return rows.find(wanted.__eq__, 0)


def first_entry(rows: PaneRows) -> int:
    """The row on which the cursor stands in a location that was just opened: not the way up, where there is more."""
    return 1 if rows.count > 1 and rows.name(0) == PARENT else 0


class EmptyRows:
    """Before the first rows have come."""

    is_complete = False
    count = 0

    def columns(self, width: int) -> tuple[Column, ...]:
        return (Column("name", 0, gap=""),)

    def cells(self, row: int, columns: tuple[Column, ...]) -> Sequence[Cell]:
        raise IndexError(row)

    def name(self, row: int) -> str:
        raise IndexError(row)

    def can_be_marked(self, row: int) -> bool:
        return False

    def selected(self, row: int) -> Selected | None:
        return None

    def find(self, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
        return None

    def items(self) -> dict[str, ListedItem]:
        return {}

    def summary(self, marked: set[str], loaded: int) -> str:
        return f"{loaded} of ? · loading"
