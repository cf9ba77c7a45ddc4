"""Differences between two versions as lines of text. Pure functions."""

from __future__ import annotations

from archive_tui.integrity.inventory import Difference, Entry
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_number, format_size
from archive_tui.operations.scanning.source_scan import SourceScan
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.screens.publish.draft import summarise_places


def added_line(scan: SourceScan) -> list[Cell]:
    """The one line of a first version."""
    return _counted("+ added", len(scan.files), scan.total_bytes)


def count_line(label: str, entries: tuple[Entry, ...], *, is_listed: bool = True) -> list[Cell]:
    size = sum(entry.size or 0 for entry in entries)
    places = f"   {escape_for_display(summarise_places(entries))}" if is_listed and entries else ""
    return [*_counted(label, len(entries), size), (places, "weak")]


def all_rows(difference: Difference | None) -> list[list[Cell]]:
    if difference is None:
        return []
    rows: list[list[Cell]] = []
    for sign, entries in (
        ("+", difference.added),
        ("*", difference.changed),
        ("-", difference.removed),
        ("?", difference.unknown),
    ):
        for entry in entries:
            size = format_size(entry.size) if entry.size is not None else ""
            rows.append([(f" {sign} {size.rjust(9)}  {escape_for_display(entry.path)}", "")])
    return rows


def _counted(label: str, count: int, size: int) -> list[Cell]:
    figures = f"{format_number(count).rjust(9)} {'file ' if count == 1 else 'files'} {format_size(size).rjust(9)}"
    return [(f"   {label.ljust(13)}{figures}", "" if count else "weak")]
