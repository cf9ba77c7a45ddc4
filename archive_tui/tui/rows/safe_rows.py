"""Rows of the view *datasafe*: a tree of LOIs with their states, of which only what is unfolded is laid out."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import NOT_KNOWN, format_count, format_number, format_size, format_total
from archive_tui.operations.listing import Arrangement
from archive_tui.operations.listing_comparison import ListedItem
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.glyphs import name_in_ascii
from archive_tui.tui.lines.states import SAFE_LOOKS, IntegrityState, format_line_state, format_state, state_of
from archive_tui.tui.lines.times import format_age
from archive_tui.tui.rows.pane_rows import PARENT, Column, find_row
from archive_tui.tui.rows.safe_tree import SafeFolder, SafeTree, joined, paths_above
from archive_tui.tui.rows.selection import Selected

WIDE, MIDDLE = 68, 46
"""Cells from which on there is room for the number of old versions; for files, age and the word of the state."""

LONGEST_JOINED = 13
"""Letters of the names of several folders in one row, so that all of them can be read in half of eighty columns."""

SHOWN = ""
"""Among the unfolded folders of every listing that was complete once: what the user has folded then stays folded."""

_UP = -1
_INDENT = "  "


@dataclass(slots=True)
class SafeRows:
    """`whole` holds all LOIs, `tree` those that a filter lets through (None: there is none). `evidence` is by LOI.
    `expanded` holds the paths of the folders that the user has unfolded; with a filter all are. `now` is when the rows
    were made."""

    whole: SafeTree
    evidence: Mapping[str, Evidence]
    arrangement: Arrangement
    expanded: set[str]
    has_parent: bool
    now: float
    is_complete: bool = False
    ascii_only: bool = False
    filtered: SafeTree | None = None
    _opened: set[str] = field(default_factory=set, init=False)
    _rows: array[int] = field(default_factory=lambda: array("q"), init=False)
    _depths: array[int] = field(default_factory=lambda: array("B"), init=False)
    _folders: list[tuple[SafeFolder, str]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._opened = self.expanded if self.filtered is None else self.filtered.folder_paths
        self._lay_out()

    @property
    def tree(self) -> SafeTree:
        """The LOIs that are shown, folded or not."""
        return self.whole if self.filtered is None else self.filtered

    def _lay_out(self) -> None:
        """Makes the rows of what is unfolded now: a position among the entries, or below zero a folder."""
        self._rows, self._depths, self._folders = array("q"), array("B"), []
        if self.has_parent:
            self._rows.append(_UP)
            self._depths.append(0)
            self._folders.append((self.tree.root, ""))
        self._lay_out_below(self.tree.top, 0)

    def _lay_out_below(self, parent: SafeFolder, depth: int) -> None:
        step = -1 if self.arrangement.is_reversed else 1
        for child in parent.folders[::step]:
            folder = joined(child, LONGEST_JOINED)
            self._folders.append((folder, folder.path.removeprefix(parent.path)))
            self._rows.append(-len(self._folders))
            self._depths.append(depth)
            if folder.path in self._opened:
                self._lay_out_below(folder, depth + 1)
        leaves = parent.leaves[::step]
        self._rows.extend(leaves)
        self._depths.extend(array("B", [min(depth, 255)]) * len(leaves))

    def toggle(self, row: int) -> bool:
        """Unfolds or folds the folder of that row; False when the row is none."""
        folder = self.folder_of(row)
        if folder is None:
            return False
        self._opened ^= {folder.path}
        self._lay_out()
        return True

    def unfold_to(self, loi: str) -> None:
        """Unfolds all folders in which the LOI lies."""
        self.expanded.update(paths_above(loi), (SHOWN,))
        self._lay_out()

    def is_unfolded(self, folder: SafeFolder) -> bool:
        return folder.path in self._opened

    def row_above(self, row: int) -> int | None:
        """The row of the folder in which this row lies; None at the top."""
        depth = self._depths[row]
        return next((above for above in range(row - 1, -1, -1) if self._depths[above] < depth), None) if depth else None

    @property
    def top_path(self) -> str:
        """What all LOIs begin with, and no row shows."""
        return self.tree.top.path

    @property
    def count(self) -> int:
        return len(self._rows)

    def folder_of(self, row: int) -> SafeFolder | None:
        """None for a LOI, and for the way up."""
        at = self._rows[row]
        return None if at >= 0 or self._is_up(row) else self._folders[-at - 1][0]

    def entry_of(self, row: int) -> SafeEntry | None:
        """None for a folder, and for the way up."""
        at = self._rows[row]
        return self.tree.entries[at] if at >= 0 else None

    def _is_up(self, row: int) -> bool:
        return row == 0 and self.has_parent

    def columns(self, width: int) -> tuple[Column, ...]:
        columns = [Column("LOI", 0, gap="")]
        if width >= MIDDLE:
            columns.append(Column("files", 5, True))
        columns.append(Column("size", 6, True, gap="  " if width >= MIDDLE else " "))
        if width >= MIDDLE:
            columns.append(Column("age", 5, True))
        if width >= WIDE:
            columns.append(Column("old", 3, True))
        columns.append(Column("state", 15 if width >= MIDDLE else 11, gap="  " if width >= MIDDLE else " "))
        return tuple(columns)

    def cells(self, row: int, columns: tuple[Column, ...]) -> Sequence[Cell]:
        entry, width = self.entry_of(row), columns[-1].width
        if entry is not None:
            by_title = self._entry_cells(row, entry, width)
        elif (folder := self.folder_of(row)) is not None:
            by_title = self._folder_cells(row, folder, width)
        else:
            by_title = {"LOI": (PARENT, "")}
        return [by_title.get(column.title, ("", "")) for column in columns]

    def _entry_cells(self, row: int, entry: SafeEntry, width: int) -> dict[str, Cell]:
        is_reserved = entry.state is SafeState.RESERVED
        unknown = "" if is_reserved else NOT_KNOWN
        is_last = row + 1 >= self.count or self._depths[row + 1] < self._depths[row]
        branch = "" if not self._depths[row] else "└ " if is_last else "├ "
        name = self._show(entry.loi.rpartition("/")[2])
        return {
            "LOI": (f"{_INDENT * max(0, self._depths[row] - 1)}{branch}{name}", ""),
            "files": (unknown if entry.files is None else format_number(entry.files), ""),
            "size": (unknown if entry.size is None else format_size(entry.size), ""),
            "age": (format_age(entry.modified, self.now), "weak"),
            "old": (format_number(entry.old_versions) if entry.old_versions else "", "weak"),
            "state": self._state_cell(entry, width),
        }

    def _folder_cells(self, row: int, folder: SafeFolder, width: int) -> dict[str, Cell]:
        sign = "⌄" if folder.path in self._opened else "›"
        name = self._show(self._folders[-self._rows[row] - 1][1])
        state: Cell = (f"{format_number(folder.lois)} LOI{'' if folder.lois == 1 else 's'}", "weak")
        if folder.damaged:
            glyph = IntegrityState.DAMAGED.value.ascii if self.ascii_only else IntegrityState.DAMAGED.value.glyph
            count = f"{format_number(folder.damaged)} " if width > 11 else ""
            state = f"{glyph} {count}damaged", "damaged"
        return {
            "LOI": (f"{_INDENT * self._depths[row]}{sign} {name}", "folder"),
            "size": (format_total(folder.size, folder.unknown_sizes), "weak"),
            "state": state,
        }

    def _show(self, name: str) -> str:
        shown = escape_for_display(name)
        return name_in_ascii(shown) if self.ascii_only else shown

    def _state_cell(self, entry: SafeEntry, width: int) -> Cell:
        """What was proven of a dataset, else what a short look shows of it."""
        evidence = self.evidence.get(entry.loi)
        if entry.state is not SafeState.DEPOSITED or evidence is None or evidence.level is EvidenceLevel.LISTED:
            look = SAFE_LOOKS[entry.state]
            return f"{look.ascii if self.ascii_only else look.glyph} {look.word}", look.style
        state = state_of(evidence, is_stale=is_stale(entry, evidence))
        if width <= 11:
            text = format_line_state(state.value, evidence.checked_at, width, ascii_only=self.ascii_only, now=self.now)
        else:
            text = format_state(state, evidence.checked_at, with_word=True, ascii_only=self.ascii_only, now=self.now)
        return text, state.value.style

    def name(self, row: int) -> str:
        entry = self.entry_of(row)
        if entry is not None:
            return entry.loi
        folder = self.folder_of(row)
        return PARENT if folder is None else folder.path

    def can_be_marked(self, row: int) -> bool:
        return self._rows[row] >= 0

    def selected(self, row: int) -> Selected | None:
        """Also for a folder: all that lies below it can be verified."""
        entry = self.entry_of(row)
        if entry is not None:
            return select_entry(entry)
        folder = self.folder_of(row)
        return None if folder is None else Selected(folder.path, folder.path, True)

    def find(self, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
        """Looks at the rows that are shown; a filter looks at all LOIs."""
        return find_row(self, accepts, start, step)

    def items(self) -> dict[str, ListedItem]:
        return {entry.loi: ListedItem(entry.size, entry.digest) for entry in self.tree.entries}

    def summary(self, marked: set[str], loaded: int) -> str:
        return next(self.summaries(marked, loaded))

    def summaries(self, marked: set[str], loaded: int) -> Iterator[str]:
        """The same in fewer and fewer cells; what is wrong goes last."""
        root = self.tree.root
        if not self.is_complete:
            yield f"{format_number(max(root.lois, loaded))} of ? · loading"
            return
        first = format_count(root.lois, "LOI")
        if self.arrangement.pattern:
            shown = f'"{escape_for_display(self.arrangement.pattern)}" {format_number(root.lois)}'
            first = f"{shown} of {format_number(len(self.whole))}"
        chosen = f"{format_number(len(marked))} marked" if marked else ""
        damaged = f"{format_number(root.damaged)} damaged" if root.damaged else ""
        reserved = f"{format_number(root.reserved)} reserved" if root.reserved else ""
        size = format_total(root.size, root.unknown_sizes) if root.size else ""
        for parts in (
            (first, chosen, damaged, reserved, size),
            (first, chosen, damaged, reserved),
            (first, chosen, damaged),
            (first, chosen),
        ):
            yield " · ".join(filter(None, parts))


class AllLois:
    """All LOIs of a tree as rows to pick from, folded ones too: a mark counts although its folder was folded."""

    def __init__(self, tree: SafeTree) -> None:
        self._entries = tree.entries

    @property
    def count(self) -> int:
        return len(self._entries)

    def name(self, row: int) -> str:
        return self._entries[row].loi

    def can_be_marked(self, row: int) -> bool:
        return True

    def selected(self, row: int) -> Selected | None:
        return select_entry(self._entries[row])


def select_entry(entry: SafeEntry) -> Selected:
    return Selected(entry.loi, entry.loi, False, entry.size, entry=entry)


def is_stale(entry: SafeEntry, evidence: Evidence) -> bool:
    """True when another dataset lies there than that which the evidence is about."""
    return bool(entry.digest and evidence.digest and entry.digest != evidence.digest)
