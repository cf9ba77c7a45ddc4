"""Paragraphs with a label at their left, wrapped to the screen. Pure functions."""

from __future__ import annotations

import textwrap

from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.cells import Cell

LABEL_WIDTH = 12


def wrap_words(text: str, width: int) -> list[str]:
    """Escapes and wraps; words longer than a line are broken. At least one line."""
    shown = escape_for_display(text)
    return textwrap.wrap(shown, max(10, width), break_on_hyphens=False, drop_whitespace=True) or [""]


def labelled_rows(label: str, text: str, width: int, style: str = "") -> list[list[Cell]]:
    """` label      text`, with the text's further lines below its first."""
    lines = wrap_words(text, width - LABEL_WIDTH - 1)
    return [
        [((f" {label}" if index == 0 else "").ljust(LABEL_WIDTH), "weak"), (line, style)]
        for index, line in enumerate(lines)
    ]
