"""Rows of the view *vault*: contents by their digest, the names they are known by, and what is proven of them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archive_tui.archives.vault.views.content_table import SHORT_TAIL, ContentTable
from archive_tui.archives.vault.views.known_names import NameIndex
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import NOT_KNOWN, format_count, format_number, format_size, format_total
from archive_tui.operations.listing import Arrangement, SortBy, make_name_filter, sort_in_runs
from archive_tui.operations.listing_comparison import ListedItem
from archive_tui.progress import StopSignal, check_stop
from archive_tui.tui.lines.cells import ELLIPSIS, Cell, cut_middle
from archive_tui.tui.lines.glyphs import ASCII, name_in_ascii
from archive_tui.tui.lines.states import IntegrityState, format_state, state_of_level
from archive_tui.tui.rows.pane_rows import Column
from archive_tui.tui.rows.selection import Selected

MIDDLE = 46
"""Cells from which on there is room for the first name and for the word of the state."""

NAMES_COUNTED = 1000
"""Lines looked at to tell how many different names a content has."""

_RUN = 4096
_COUNT_WIDTH = 5


@dataclass(slots=True)
class VaultRows:
    """`by_digest` holds the positions of the contents in the table, sorted; `order` those that are shown. `head` is how
    many digits a digest needs at its beginning to be told from the others. `index` None: the names are not read yet."""

    table: ContentTable
    by_digest: Sequence[int]
    arrangement: Arrangement
    now: float
    head: int
    is_complete: bool = False
    ascii_only: bool = False
    index: NameIndex | None = None
    order: Sequence[int] = field(default_factory=lambda: array("I"))

    @property
    def count(self) -> int:
        return len(self.order)

    def columns(self, width: int) -> tuple[Column, ...]:
        digest_width = self.head + 1 + SHORT_TAIL
        state_width = 15 if width >= MIDDLE else 9
        left = width - digest_width - (state_width + 2)
        columns = [Column("digest", 0, gap="")]
        if left >= 8 + 1 + _COUNT_WIDTH:
            columns.append(Column("size", 6, True, gap="  "))
            left -= 8
        names_width = max(_COUNT_WIDTH, left - 2) if width >= MIDDLE else _COUNT_WIDTH
        has_count = names_width == _COUNT_WIDTH
        columns.append(Column("names", names_width, has_count, gap=" " if has_count else "  "))
        return (*columns, Column("state", state_width, gap="  "))

    def cells(self, row: int, columns: tuple[Column, ...]) -> Sequence[Cell]:
        position = self.order[row]
        size = self.table.size(position)
        by_title: dict[str, Cell] = {
            "digest": self._digest_cell(position),
            "size": (NOT_KNOWN if size is None else format_size(size), ""),
        }
        return [by_title.get(column.title) or self._cell(position, column) for column in columns]

    def _digest_cell(self, position: int) -> Cell:
        name = self.table.name(position)
        if position in self.table.foreign:
            shown = escape_for_display(name)
            return name_in_ascii(shown) if self.ascii_only else shown, "weak"
        return f"{name[: self.head]}{ASCII.ellipsis if self.ascii_only else ELLIPSIS}{name[-SHORT_TAIL:]}", ""

    def _cell(self, position: int, column: Column) -> Cell:
        if column.title == "names":
            return self._names_cell(position, column.width)
        if position in self.table.foreign:
            return "! foreign", "doubtful"
        state, has_word = self._state_of(position), column.width > 10
        checked_at = self.table.checked_at(position)
        text = format_state(state, checked_at, with_word=has_word, ascii_only=self.ascii_only, now=self.now)
        return text, state.value.style

    def _names_cell(self, position: int, width: int) -> Cell:
        """How many names there are, or the first one and how many more; a foreign object has its own."""
        foreign = self.table.foreign.get(position)
        if foreign is not None:
            return ("" if width <= _COUNT_WIDTH else self._cut(foreign, width)), "weak"
        names = self.names_of(position)
        if not names:
            return ("" if self.index is None else "–"), "weak"
        if width <= _COUNT_WIDTH:
            return f"{NAMES_COUNTED - 1}+" if len(names) >= NAMES_COUNTED else str(len(names)), ""
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        return self._cut(names[0], width - len(more)) + more, ""

    def _cut(self, name: str, width: int) -> str:
        shown = escape_for_display(name)
        if self.ascii_only:
            return cut_middle(name_in_ascii(shown), max(1, width), ASCII.ellipsis)
        return cut_middle(shown, max(1, width))

    def names_of(self, position: int) -> list[str]:
        """The different names of the content, at most NAMES_COUNTED, those of the manifest used last first."""
        if self.index is None:
            return []
        return list(dict.fromkeys(name for _, name in self.index.lines(position, NAMES_COUNTED)))

    def _state_of(self, position: int) -> IntegrityState:
        return state_of_level(self.table.level(position), is_stale=self.table.is_stale(position))

    def name(self, row: int) -> str:
        return self.table.name(self.order[row])

    def position(self, row: int) -> int:
        """The place in the table."""
        return self.order[row]

    def can_be_marked(self, row: int) -> bool:
        return True

    def selected(self, row: int) -> Selected | None:
        position = self.order[row]
        name, size = self.table.name(position), self.table.size(position)
        digest = None if position in self.table.foreign else name
        return Selected(name, self.table.key(position), False, size, digest=digest)

    def find(self, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
        """Looks at the digests and at the names."""
        for offset in range(self.count):
            row = (start + step * offset) % self.count
            position = self.order[row]
            if accepts(self.table.name(position)) or any(map(accepts, self.names_of(position))):
                return row
        return None

    def items(self) -> dict[str, ListedItem]:
        table = self.table
        return {table.name(at): ListedItem(table.size(at), None if at in table.foreign else table.name(at))
                for at in self.order}  # fmt: skip

    def summary(self, marked: set[str], loaded: int) -> str:
        table = self.table
        if not self.is_complete:
            return f"{format_number(max(self.count, loaded))} of ? · loading"
        contents = len(table) - len(table.foreign)
        parts = [format_count(contents, "content"), format_total(table.total_bytes, table.unknown_sizes)]
        if self.arrangement.pattern:
            shown = f'"{escape_for_display(self.arrangement.pattern)}" {format_number(self.count)}'
            parts = [f"{shown} of {format_number(len(table))}"]
        if marked:
            parts.append(f"{format_number(len(marked))} marked")
        if table.foreign:
            parts.append(f"{format_number(len(table.foreign))} foreign")
        if self.index is not None and self.index.names.manifests:
            parts.append(f"{format_number(self.index.named)} known by name")
        return " · ".join(parts)


def arrange_contents(rows: VaultRows, arrangement: Arrangement, stop: StopSignal) -> None:
    """Puts the rows into the order that is asked for, foreign objects last, and filters them by digest and by names.

    Raises: OperationStopped.
    """
    rows.arrangement = arrangement
    contents, foreign = list(rows.by_digest), sorted(rows.table.foreign, key=rows.table.name)
    accepts = make_name_filter(arrangement.pattern)
    if accepts is not None:
        contents = [at for at in contents if _passes(rows, at, accepts, stop)]
        foreign = [at for at in foreign if accepts(rows.table.name(at))]
    sort_key = _make_sort_key(rows, arrangement.sort_by)
    if sort_key is not None:
        contents = sort_in_runs(contents, sort_key, stop=stop)
    order = array("I", reversed(contents) if arrangement.is_reversed else contents)
    order.extend(foreign)
    rows.order = order


def _passes(rows: VaultRows, position: int, accepts: Callable[[str], bool], stop: StopSignal) -> bool:
    if position % _RUN == 0:
        check_stop(stop)
    return accepts(rows.table.name(position)) or any(map(accepts, rows.names_of(position)))


def _make_sort_key(rows: VaultRows, sort_by: SortBy) -> Callable[[int], object] | None:
    table, index = rows.table, rows.index
    if sort_by is SortBy.SIZE:
        return lambda position: -(table.size(position) or 0)
    if sort_by is SortBy.NAMES:
        return lambda position: -index.count(position) if index is not None else 0
    if sort_by is SortBy.STATE:
        return lambda position: _weakness(table, position)
    return None


def _weakness(table: ContentTable, position: int) -> int:
    """What needs a look comes first, what is proven best last."""
    if table.is_stale(position):
        return 1
    level = table.level(position)
    return EvidenceLevel.LISTED.value if level is None else level.value
