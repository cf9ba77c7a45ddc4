"""Rows of the view *manifest*: the lines of a checksum manifest, with the state of each on disk and in the vault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archive_tui.archives.vault.views.line_table import LineTable
from archive_tui.archives.vault.views.manifest_states import DiskState, ManifestStates, VaultState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import NOT_KNOWN, format_count, format_number, format_size, format_total
from archive_tui.operations.listing import Arrangement
from archive_tui.operations.listing_comparison import ListedItem
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.glyphs import name_in_ascii
from archive_tui.tui.lines.states import DISK_LOOKS, VAULT_LOOKS, format_line_state
from archive_tui.tui.rows.pane_rows import PARENT, Column, find_row
from archive_tui.tui.rows.selection import Selected

WIDE, MIDDLE = 76, 46
"""Cells from which on there is room for the word of the vault's state; for the size."""

_ALARMS_ON_DISK = (DiskState.CHANGED, DiskState.MISSING, DiskState.UNREADABLE)
_NO_VAULT = (VaultState.UNKNOWN, VaultState.ABSENT, VaultState.DAMAGED)


@dataclass(slots=True)
class ManifestRows:
    """`order` holds positions in the table. Row 0 is the way up. `now` is when the rows were made: ages do not change
    under the cursor."""

    table: LineTable
    states: ManifestStates
    order: Sequence[int]
    arrangement: Arrangement
    prefix: str
    now: float
    is_complete: bool = False
    ascii_only: bool = False

    @property
    def count(self) -> int:
        return len(self.order) + 1

    @property
    def version(self) -> int:
        """Grows whenever a state has changed."""
        return self.states.version

    def columns(self, width: int) -> tuple[Column, ...]:
        has_alarm = any(self.states.disk.counts[state] for state in _ALARMS_ON_DISK)
        disk_width = 12 if width >= MIDDLE else 9 if has_alarm else 6
        vault_width = 15 if width >= WIDE else 9 if self.states.vault.counts[VaultState.DAMAGED] else 7
        columns = [Column("name", 0, gap="")]
        if width >= MIDDLE:
            columns.append(Column("size", 6, True, gap="  "))
        return (*columns, Column("disk", disk_width, gap="  "), Column("vault", vault_width))

    def cells(self, row: int, columns: tuple[Column, ...]) -> Sequence[Cell]:
        if row == 0:
            return [(PARENT, "")] + [("", "")] * (len(columns) - 1)
        position = self.order[row - 1]
        table = self.table
        if table.is_bad(position):
            number = f"line {table.numbers[position]}"
            has_room = any(column.title == "size" for column in columns)
            first = f"{number}: {escape_for_display(table.text(position))}" if has_room else number
            return [(first, "doubtful"), *[("", "")] * (len(columns) - 2), ("! bad", "doubtful")]
        name, size = escape_for_display(table.text(position)), table.size(position)
        by_title: dict[str, Cell] = {
            "name": (name_in_ascii(name) if self.ascii_only else name, ""),
            "size": (NOT_KNOWN if size is None else format_size(size), ""),
        }
        return [by_title.get(column.title) or self._state_cell(position, column) for column in columns]

    def _state_cell(self, position: int, column: Column) -> Cell:
        states = self.states.disk if column.title == "disk" else self.states.vault
        state = states.get(position)
        look = DISK_LOOKS[DiskState(state)] if column.title == "disk" else VAULT_LOOKS[state]
        has_age = state > 1
        moment = states.moment(position) if has_age else None
        text = format_line_state(look, moment, column.width, ascii_only=self.ascii_only, now=self.now)
        return text, look.style

    def name(self, row: int) -> str:
        if row == 0:
            return PARENT
        position = self.order[row - 1]
        return f"line {self.table.numbers[position]}" if self.table.is_bad(position) else self.table.text(position)

    def position(self, row: int) -> int:
        """The place of the line in the table; row 0 has none."""
        return self.order[row - 1]

    def can_be_marked(self, row: int) -> bool:
        return row > 0 and not self.table.is_bad(self.order[row - 1])

    def selected(self, row: int) -> Selected | None:
        if not self.can_be_marked(row):
            return None
        position = self.order[row - 1]
        line = self.table.line(position)
        key = line.name.lstrip("/") if line.name.startswith("/") else f"{self.prefix}{line.name.removeprefix('./')}"
        size = self.table.size(position)
        return Selected(line.name, key, False, size, line=line, position=position, digest=line.digest)

    def find(self, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
        return find_row(self, accepts, start, step)

    def items(self) -> dict[str, ListedItem]:
        table = self.table
        good = (position for position in self.order if not table.is_bad(position))
        return {table.text(position): ListedItem(table.size(position), table.digest(position)) for position in good}

    def summary(self, marked: set[str], loaded: int) -> str:
        return next(self.summaries(marked, loaded))

    def summaries(self, marked: set[str], loaded: int) -> Iterator[str]:
        """The same in fewer and fewer cells; what is wrong goes last."""
        counts = self._count_parts(marked, loaded)
        same = self.states.disk.counts[DiskState.SAME]
        yield _join(*counts, f"{format_number(same)} same" if same else "", *self._disk_parts(), *self._vault_parts())
        yield _join(*counts, *self._disk_parts(), *self._vault_parts())
        if self.is_complete and len(self.order) == len(self.table):
            counts[0] = format_number(len(self.table))
            yield _join(*counts, *self._disk_parts(), *self._vault_parts())
        found = self._disk_counts().items()
        signs = " ".join(f"{DISK_LOOKS[state].glyph} {format_number(count)}" for state, count in found)
        vault = [part.replace(":", "") for part in self._vault_parts()]
        yield _join(*counts, signs, *vault)
        yield _join(*counts[1:], signs, *vault)

    def _count_parts(self, marked: set[str], loaded: int) -> list[str]:
        table, pattern = self.table, self.arrangement.pattern
        total = format_number(len(table)) if self.is_complete else "?"
        parts = [f"{format_number(len(self.order))} of {total}"]
        if not self.is_complete:
            parts = [f"{format_number(max(len(self.order), loaded))} of ?", "loading"]
        if pattern:
            parts[0] = f'"{escape_for_display(pattern)}" {parts[0]}'
        if marked:
            parts.append(f"{format_number(len(marked))} marked")
        elif self.is_complete and table.sizes_known:
            good = len(table) - table.bad_lines
            parts += [format_total(table.total_bytes, good - table.sizes_known)] if not self._disk_counts() else []
        return parts

    def _disk_counts(self) -> Counter[DiskState]:
        counts = self.states.disk.counts
        return Counter({state: counts[state] for state in _ALARMS_ON_DISK if counts[state] > 0})

    def _disk_parts(self) -> list[str]:
        parts = [f"{format_number(count)} {state.name.lower()}" for state, count in self._disk_counts().items()]
        return parts + ([format_count(self.table.bad_lines, "bad line")] if self.table.bad_lines else [])

    def _vault_counts(self) -> Counter[str]:
        counts = Counter(self.states.vault.counts)
        held = sum(count for state, count in counts.items() if state not in _NO_VAULT)
        found = {"yes": held, "no": counts[VaultState.ABSENT], "damaged": counts[VaultState.DAMAGED]}
        return Counter({word: count for word, count in found.items() if count > 0})

    def _vault_parts(self) -> list[str]:
        counts = self._vault_counts()
        words = " ".join(f"{format_number(count)} {word}" for word, count in counts.items())
        return [f"vault: {words}"] if words else []


def _join(*parts: str) -> str:
    return " · ".join(filter(None, parts))
