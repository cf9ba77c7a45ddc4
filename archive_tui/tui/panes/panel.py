"""A panel: text that takes the place of a pane for a while (help, palette, preview, properties). No dialog, no repaint
of the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archive_tui.tui.lines.cells import Cell

PanelLine = tuple[Cell, ...]


@dataclass(slots=True)
class Panel:
    """`lines` are drawn as they are, cut at the end. With `has_cursor` one of them is chosen: `accept` receives its
    position on Enter."""

    title: str
    lines: Sequence[PanelLine] = ()
    footer: str = ""
    has_cursor: bool = False
    accept: Callable[[int], None] | None = None
    cursor: int = 0
    top: int = 0
    kind: str = field(default="text")

    def move(self, step: int, height: int) -> None:
        """Moves the cursor, or the text where there is none, by `step` lines; it stays within the lines."""
        last = max(0, len(self.lines) - 1)
        if self.has_cursor:
            self.cursor = min(max(0, self.cursor + step), last)
            if not self.top <= self.cursor < self.top + height:
                self.top = max(0, min(self.cursor - height // 2, last))
        else:
            self.top = min(max(0, self.top + step), max(0, len(self.lines) - height))

    def replace_lines(self, lines: Sequence[PanelLine]) -> None:
        self.lines = lines
        self.cursor = self.top = 0
