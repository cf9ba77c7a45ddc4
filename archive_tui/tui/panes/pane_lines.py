"""The lines of a pane: edges, headings, rows, notices, and the panel that may lie over them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle, fit_left, fit_right, pad_to, take_cells
from archive_tui.tui.panes.framed import EDGE_WIDTH, bottom_edge, framed_line, text_line, top_edge
from archive_tui.tui.panes.panel import Panel
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.pane_rows import SORTS, Column
from archive_tui.tui.rows.safe_rows import SafeRows

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.panes.pane import Pane

_EMPTY = {
    "vault": "Nothing is in this vault yet. A manifest in the other pane brings it here: F5.",
    "datasafe": "No LOI is reserved in this datasafe yet: N reserves one.",
    "manifest": "No line of a checksum manifest is in this file.",
}
FIRST_ROW = 2
"""Lines above the rows: the top edge and the headings."""


def pane_line(pane: Pane, y: int) -> list[Cell]:
    """The line `y` of the pane as styled text, as wide as the pane."""
    width, height = pane.size
    if pane.panel is not None:
        return panel_line(pane, pane.panel, y)
    if y == 0:
        return top_edge(title_of(pane), width, pane.glyphs, is_active=pane.is_active)
    if y == height - 1:
        return bottom_edge(summary_of(pane), width, pane.glyphs)
    if y == 1:
        return framed_line(_heading_cells(pane, width - 2), pane.glyphs)
    return _body_line(pane, pane.top + y - FIRST_ROW, width)


def title_of(pane: Pane) -> str:
    if pane.location is None:
        return ""
    storage = pane.location.storage
    if pane.view == "vault" and storage is not None:
        return escape_for_display(f"{storage.name} ▸ {pane.location.vault_prefix} · vault")
    if pane.view == "datasafe":
        return _safe_title(pane, pane.location)
    title = escape_for_display(pane.location.title)
    kind = f" · {pane.view}" if pane.view != "objects" else ""
    if pane.location.document is not None:  # of two manifests of one folder, the folder says least
        name = escape_for_display(f"/{pane.location.document.name}")
        room = pane.size.width - EDGE_WIDTH - cell_len(name + kind)
        title = cut_middle(title.removesuffix(name), max(1, room), pane.glyphs.ellipsis) + name
    return title + kind


def _safe_title(pane: Pane, location: Location) -> str:
    """Where the datasafe lies, and what all of its LOIs begin with: no row shows that."""
    name = location.storage.name if location.storage is not None else f"/{(location.safe_prefix or '').rstrip('/')}"
    top = pane.rows.top_path.rstrip("/") if isinstance(pane.rows, SafeRows) else ""
    tail = escape_for_display(f" ▸ {top} · datasafe" if top else " · datasafe")
    room = pane.size.width - EDGE_WIDTH - cell_len(tail)
    return cut_middle(escape_for_display(name), max(1, room), pane.glyphs.ellipsis) + tail


def summary_of(pane: Pane) -> str:
    text = pane.rows.summary(pane.marked, pane.loaded)
    if isinstance(pane.rows, ManifestRows | SafeRows):
        for text in pane.rows.summaries(pane.marked, pane.loaded):
            if cell_len(text) <= pane.size.width - 6:
                break
    if not pane.is_loading and not pane.rows.is_complete:
        text = text.replace("loading", "incomplete")
    if pane.arrangement.sort_by != SORTS[pane.view][0] or pane.arrangement.is_reversed:
        text += f" · by {pane.arrangement.sort_by}{', reversed' if pane.arrangement.is_reversed else ''}"
    return text


def _body_line(pane: Pane, row: int, width: int) -> list[Cell]:
    if row < pane.rows.count:
        return framed_line(_row_cells(pane, row, width - 2), pane.glyphs)
    below = row - pane.rows.count
    lines = notice_lines(pane, width - 4)
    return text_line(
        lines[below] if below < len(lines) else "",
        width,
        "doubtful" if pane.notice else "weak" if lines else "",
        pane.glyphs,
    )


def _layout(pane: Pane, width: int) -> tuple[tuple[Column, ...], int]:
    """The columns, and the cells that are left for the one without a width."""
    room = width - 2 - (pane.signs is not None) * 2
    columns = pane.rows.columns(room)
    fixed = sum(column.width + len(column.gap) for column in columns)
    return columns, max(1, room - fixed)


def _heading_cells(pane: Pane, width: int) -> list[Cell]:
    columns, rest = _layout(pane, width)
    texts = [
        column.gap + (fit_right if column.is_right else fit_left)(column.title, column.width or rest)
        for column in columns
    ]
    margin = "   " if pane.signs is not None else " "
    return [(pad_to(margin + "".join(texts), width), "weak")]


def _row_cells(pane: Pane, row: int, width: int) -> list[Cell]:
    columns, rest = _layout(pane, width)
    name = pane.rows.name(row)
    is_marked = name in pane.marked
    glyphs = pane.glyphs
    cells: list[Cell] = [(glyphs.mark if is_marked else " ", "marked" if is_marked else "")]
    if pane.signs is not None:
        cells.append((f"{pane.signs.get(name, ' ')} ", ""))
    for column, (text, style) in zip(columns, pane.rows.cells(row, columns), strict=True):
        size = column.width or rest
        fitted = fit_right(text, size) if column.is_right else fit_left(text, size, glyphs.ellipsis)
        cells += [(column.gap, ""), (fitted, "marked" if is_marked and style in ("", "folder") else style)]
    cells.append((" ", ""))
    if row != pane.cursor:
        return cells
    return [("".join(text for text, _ in cells), "cursor" if pane.is_active else "other-cursor")]


def notice_lines(pane: Pane, width: int) -> list[str]:
    """What is said below the rows: why the listing is not complete and what to do, or that there is nothing."""
    if pane.notice is not None:
        sentence, hint = pane.notice
        return ["", *textwrap.wrap(sentence, max(10, width)), *textwrap.wrap(hint, max(10, width))]
    if pane.rows.is_complete and pane.rows.count <= (pane.location is not None and pane.location.parent is not None):
        if pane.arrangement.pattern:
            return ["", "Nothing matches the filter: f changes it."]
        if pane.view == "datasets":
            sentences = (
                "No datasets here yet.",
                "From a folder in the other pane, P publishes one.",
                "v shows all objects.",
            )
            return ["", *(line for text in sentences for line in textwrap.wrap(text, max(10, width)))]
        return ["", *textwrap.wrap(_EMPTY.get(pane.view, "Nothing here."), max(10, width))]
    return []


def panel_line(pane: Pane, panel: Panel, y: int) -> list[Cell]:
    width, height = pane.size
    if y == 0:
        return top_edge(panel.title, width, pane.glyphs, is_active=panel.has_cursor)
    if y == height - 1:
        return bottom_edge(panel.footer, width, pane.glyphs)
    position = panel.top + y - 1
    if position >= len(panel.lines):
        return text_line("", width, "", pane.glyphs)
    cells = _fit_cells([(" ", ""), *panel.lines[position]], width - 2, pane.glyphs.ellipsis)
    if panel.has_cursor and position == panel.cursor:
        cells = [("".join(text for text, _ in cells), "cursor")]
    return framed_line(cells, pane.glyphs)


def _fit_cells(cells: list[Cell], width: int, ellipsis: str) -> list[Cell]:
    """Exactly `width` cells: what is too long is cut at the end."""
    fitted: list[Cell] = []
    left = width
    for text, style in cells:
        size = cell_len(text)
        if size > left:
            text = cut_end(text, left, ellipsis) if left > 0 else ""
            size = cell_len(text)
        fitted.append((take_cells(text, left), style))
        left -= size
    return [*fitted, (" " * left, "")]
