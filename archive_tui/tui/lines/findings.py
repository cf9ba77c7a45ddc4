"""Findings as lines of text, and the map of cells that shows where they lie. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.jobs.job import FailedItem, JobSnapshot
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_size
from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle, pad_to
from archive_tui.tui.lines.text_rows import labelled_rows

GLYPHS = {
    FindingKind.CHANGED: "✗",
    FindingKind.MISSING: "○",
    FindingKind.MOVED: "→",
    FindingKind.EXTRA: "+",
    FindingKind.WRITABLE: "w",
    FindingKind.UNREADABLE: "!",
}
STYLES = {
    FindingKind.CHANGED: "damaged",
    FindingKind.MISSING: "damaged",
    FindingKind.MOVED: "doubtful",
    FindingKind.EXTRA: "doubtful",
    FindingKind.WRITABLE: "doubtful",
    FindingKind.UNREADABLE: "doubtful",
}

OK, PENDING, RUNNING = " ", "·", "▒"
LEGEND: tuple[Cell, ...] = (
    (OK, "filled-ok"),
    (" ok  ▒ running  · pending  ✗ changed  ○ missing  ! unreadable", "weak"),
)


def short_digest(digest: str | None) -> str:
    """`9f2c…44e1`"""
    return f"{digest[:4]}…{digest[-4:]}" if digest else "–"


def finding_row(finding: Finding, width: int) -> list[Cell]:
    """One line: what it is, where, and both digests in short."""
    style = STYLES[finding.kind]
    if finding.expected and finding.found:
        tail = f"  expected {short_digest(finding.expected)}  found {short_digest(finding.found)}"
    else:
        tail = f"  {escape_for_display(finding.detail)}" if finding.detail else ""
    room = max(16, width - 16 - min(len(tail), 36))
    path = pad_to(cut_middle(escape_for_display(finding.path), room), room)
    tail = cut_end(tail, max(0, width - 15 - room))
    return [(f" {GLYPHS[finding.kind]} {finding.kind.ljust(11)}", style), (path, ""), (tail, "weak")]


def failed_item_row(item: FailedItem, width: int) -> list[Cell]:
    """The same for a finding of which only the sentence is known yet."""
    reason = escape_for_display(item.reason)
    room = max(16, width - 6 - min(len(reason), 40))
    path = pad_to(cut_middle(escape_for_display(item.item), room), room)
    return [(f" {_glyph_of(item)} ", "damaged"), (path, ""), (cut_end(f"  {reason}", max(0, width - 4 - room)), "weak")]


def job_findings(job: JobSnapshot, width: int) -> tuple[int, Callable[[int], list[Cell]]]:
    """How many findings of a job can be shown, and what draws the row of each: with digests once it has ended, before
    that as they were reported."""
    findings, failed = job.findings, job.failed_items
    if findings:
        return len(findings), lambda index: finding_row(findings[index], width)
    return len(failed), lambda index: failed_item_row(failed[index], width)


def finding_detail(finding: Finding, width: int) -> list[list[Cell]]:
    """Everything that is known of one finding."""
    rows: list[list[Cell]] = [[], *labelled_rows(finding.kind, finding.path, width, STYLES[finding.kind])]
    rows += labelled_rows("expected", finding.expected or "no digest is known", width)
    rows += labelled_rows("found", finding.found or "nothing that could be hashed", width)
    sizes = [f"{format_size(size)} ({size:,} bytes)" if size is not None else "not known" for size in _sizes(finding)]
    rows += labelled_rows("size", f"expected {sizes[0]}, found {sizes[1]}", width)
    if finding.detail:
        rows += labelled_rows("detail", finding.detail, width)
    return rows


@dataclass(frozen=True, slots=True)
class CellMap:
    """`items_per_cell` files stand behind each cell; the last one may have fewer."""

    rows: tuple[list[Cell], ...]
    items_per_cell: int


def draw_cell_map(
    items_total: int, items_done: int, failed: Iterable[FailedItem], *, width: int, height: int, is_running: bool
) -> CellMap:
    """One cell for each file in the order of finishing, or for several where there are more files than cells."""
    if items_total <= 0 or width <= 0 or height <= 0:
        return CellMap((), 1)
    per_cell = max(1, math.ceil(items_total / (width * height)))
    count = math.ceil(items_total / per_cell)
    marks = {max(0, item.position - 1) // per_cell: _glyph_of(item) for item in failed}
    done_cells, is_partial = divmod(items_done, per_cell) if items_done < items_total else (count, 0)
    rows: list[list[Cell]] = []
    for start in range(0, count, width):
        rows.append(
            _draw_map_row(range(start, min(start + width, count)), done_cells, marks, is_running, bool(is_partial))
        )
    return CellMap(tuple(rows), per_cell)


def _draw_map_row(cells: range, done: int, marks: dict[int, str], is_running: bool, is_partial: bool) -> list[Cell]:
    row: list[Cell] = []
    for cell in cells:
        if cell in marks:
            look = (marks[cell], "damaged")
        elif cell < done:
            look = (OK, "filled-ok")
        else:
            look = (RUNNING, "") if cell == done and (is_running or is_partial) else (PENDING, "weak")
        if row and row[-1][1] == look[1]:
            row[-1] = (row[-1][0] + look[0], look[1])
        else:
            row.append(look)
    return row


def _glyph_of(item: FailedItem) -> str:
    """The reason begins with the kind where the operation knows it; else something is wrong with the content."""
    word = item.reason.partition(":")[0]
    return GLYPHS[FindingKind(word)] if word in set(FindingKind) else GLYPHS[FindingKind.CHANGED]


def _sizes(finding: Finding) -> tuple[int | None, int | None]:
    return finding.expected_size, finding.found_size
