"""Draws the frame of a pane: the place in the top edge, the amount in the bottom edge."""

from __future__ import annotations

from rich.cells import cell_len

from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle, pad_to
from archive_tui.tui.lines.glyphs import Glyphs

EDGE_WIDTH = 6
"""Cells of an edge that its text does not get."""


def top_edge(title: str, width: int, glyphs: Glyphs, *, is_active: bool) -> list[Cell]:
    """The active pane is told by its title, reversed, and by a heavier edge."""
    left, right, _, _, thin, _ = glyphs.frame
    text = f" {cut_middle(title, max(1, width - EDGE_WIDTH), glyphs.ellipsis)} "
    line = glyphs.active_edge if is_active else thin
    rest = max(0, width - 3 - cell_len(text))
    return [(left + line, "frame"), (text, "title" if is_active else ""), (line * rest + right, "frame")]


def bottom_edge(text: str, width: int, glyphs: Glyphs) -> list[Cell]:
    _, _, left, right, line, _ = glyphs.frame
    label = f" {cut_end(text, max(1, width - EDGE_WIDTH), glyphs.ellipsis)} " if text else ""
    rest = max(0, width - 3 - cell_len(label))
    return [(left + line, "frame"), (label, ""), (line * rest + right, "frame")]


def framed_line(cells: list[Cell], glyphs: Glyphs) -> list[Cell]:
    side = glyphs.frame[5]
    return [(side, "frame"), *cells, (side, "frame")]


def text_line(text: str, width: int, style: str, glyphs: Glyphs) -> list[Cell]:
    """One line of text between the two sides."""
    return framed_line([(pad_to(cut_end(f" {text}", width - 2, glyphs.ellipsis), width - 2), style)], glyphs)
