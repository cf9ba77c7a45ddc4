"""Rows of the view *datasets*: names with their newest version, and below an expanded one all versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive_tui.integrity.evidence import Evidence
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_size, format_total
from archive_tui.operations.listing import make_name_filter
from archive_tui.operations.listing_comparison import ListedItem
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.states import IntegrityState, format_state, state_of
from archive_tui.tui.lines.times import format_age
from archive_tui.tui.rows.object_rows import MIDDLE
from archive_tui.tui.rows.pane_rows import PARENT, Column, find_row
from archive_tui.tui.rows.selection import Selected

if TYPE_CHECKING:
    from archive_tui.archives.datasets.catalog import DatasetSummary, DatasetVersion

_BRANCH, _LAST_BRANCH = "├ ", "└ "
_ASCII_BRANCH = "- "


@dataclass(frozen=True, slots=True)
class _Line:
    """`summary` None: the way up. `version` None: the line of the dataset itself."""

    summary: DatasetSummary | None
    version: DatasetVersion | None = None
    is_last: bool = False


@dataclass(slots=True)
class DatasetRows:
    """`evidence` is by archive key; `prefix` that of the location, which the names shown leave away."""

    summaries: Sequence[DatasetSummary]
    evidence: Mapping[str, Evidence]
    prefix: str
    has_parent: bool
    now: float
    pattern: str = ""
    is_complete: bool = True
    ascii_only: bool = False
    expanded: set[str] = field(default_factory=set)
    _lines: list[_Line] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        lines = [_Line(None)] if self.has_parent else []
        accepts = make_name_filter(self.pattern)
        for summary in self.summaries:
            if accepts is not None and not accepts(summary.name):
                continue
            lines.append(_Line(summary))
            if summary.name in self.expanded:
                lines += [_Line(summary, version) for version in summary.versions[:-1]]
                lines.append(_Line(summary, summary.versions[-1], is_last=True))
        self._lines = lines

    def filter(self, pattern: str) -> None:
        """Shows only the datasets whose name matches."""
        self.pattern = pattern
        self._lay_out()

    def toggle(self, row: int) -> bool:
        """Expands or collapses the dataset of that row; False when the row belongs to none."""
        summary = self._lines[row].summary
        if summary is None:
            return False
        self.expanded ^= {summary.name}
        self._lay_out()
        return True

    @property
    def count(self) -> int:
        return len(self._lines)

    def columns(self, width: int) -> tuple[Column, ...]:
        columns = [Column("name", 0, gap="")]
        if width >= MIDDLE:
            columns.append(Column("size", 6, True, gap="  "))
        columns.append(Column("latest", 7, True))
        columns.append(Column("state", 15 if width >= MIDDLE else 9, gap="  "))
        return tuple(columns)

    def cells(self, row: int, columns: tuple[Column, ...]) -> Sequence[Cell]:
        line = self._lines[row]
        if line.summary is None:
            return [(PARENT, "")] + [("", "")] * (len(columns) - 1)
        version = line.version or line.summary.latest
        size = format_size(version.size) if line.version else _format_sizes(line.summary.versions)
        has_size_column = any(column.title == "size" for column in columns)
        by_title: dict[str, Cell] = {
            "name": self._name_cell(line),
            "size": (size, ""),
            # Where there is no room for sizes, a version's own stands below the number of the latest one.
            "latest": ("" if has_size_column else size, "") if line.version else (version.version, ""),
        }
        return [by_title.get(column.title) or self._state_cell(version, column.width) for column in columns]

    def _name_cell(self, line: _Line) -> Cell:
        assert line.summary is not None
        if line.version is None:
            return escape_for_display(line.summary.name.removeprefix(self.prefix)), "folder"
        branch = _ASCII_BRANCH if self.ascii_only else _LAST_BRANCH if line.is_last else _BRANCH
        return f"{branch}{line.version.version:<7} {format_age(line.version.modified, self.now)}", ""

    def _state_cell(self, version: DatasetVersion, width: int) -> Cell:
        evidence = self.evidence.get(version.key)
        state = self._state_of_version(version)
        checked_at = evidence.checked_at if evidence is not None else None
        text = format_state(state, checked_at, with_word=width > 10, ascii_only=self.ascii_only, now=self.now)
        return text, state.value.style

    def _state_of_version(self, version: DatasetVersion) -> IntegrityState:
        evidence = self.evidence.get(version.key)
        return state_of(evidence, is_stale=evidence is not None and 0 <= version.size != evidence.size)

    def name(self, row: int) -> str:
        line = self._lines[row]
        if line.summary is None:
            return PARENT
        return line.summary.name if line.version is None else f"{line.summary.name} {line.version.version}"

    def size(self, row: int) -> int | None:
        line = self._lines[row]
        if line.summary is None:
            return None
        return line.version.size if line.version else line.summary.total_bytes

    def state(self, row: int) -> IntegrityState | None:
        line = self._lines[row]
        return None if line.summary is None else self._state_of_version(line.version or line.summary.latest)

    def can_be_marked(self, row: int) -> bool:
        return self._lines[row].summary is not None

    def selected(self, row: int) -> Selected | None:
        line = self._lines[row]
        if line.summary is None:
            return None
        version = line.version or line.summary.latest
        chosen = line.version.version if line.version else None
        return Selected(self.name(row), version.key, False, version.size, line.summary.name, chosen)

    def find(self, accepts: Callable[[str], bool], start: int, step: int = 1) -> int | None:
        return find_row(self, accepts, start, step)

    def items(self) -> dict[str, ListedItem]:
        """The newest version of each dataset; another version number is another content."""
        return {
            summary.name: ListedItem(
                summary.latest.number[0] << 40 | summary.latest.number[1] << 20 | summary.latest.number[2],
                evidence.digest if (evidence := self.evidence.get(summary.latest.key)) is not None else None,
            )
            for summary in self.summaries
        }

    def summary(self, marked: set[str], loaded: int) -> str:
        versions = sum(len(summary.versions) for summary in self.summaries)
        total = _format_sizes(version for summary in self.summaries for version in summary.versions)
        parts = [format_count(len(self.summaries), "dataset"), format_count(versions, "version"), total]
        if self.pattern:
            shown = len({line.summary.name for line in self._lines if line.summary is not None})
            parts = [f'"{escape_for_display(self.pattern)}" {shown} of {format_count(len(self.summaries), "dataset")}']
        if marked:
            parts.append(f"{len(marked)} marked")
        return " · ".join(parts)


def _format_sizes(versions: Iterable[DatasetVersion]) -> str:
    sizes = [version.size for version in versions]
    return format_total(sum(max(0, size) for size in sizes), sum(size < 0 for size in sizes))
