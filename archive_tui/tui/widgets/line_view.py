"""Shows lines of styled text and repaints only what has changed, up to the last cell that differs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from rich.cells import cell_len
from textual.geometry import Region
from textual.strip import Strip

from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.glyphs import to_ascii
from archive_tui.tui.widgets.line_widget import LineWidget

Line = Sequence[Cell]
"""Pieces of text with the name of a style each; the text is already escaped, and may be longer than there is room."""


class LineView(LineWidget):
    """As many lines as fit; those beyond the last one are blank. A tick costs what its changed cells cost."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line--filled", "line--filled-ok"}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    @property
    def text(self) -> str:
        """What is shown, without styles: for tests, and for copying."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Takes the place of what was shown."""
        before, self._lines = self._lines, tuple(lines)
        regions = []
        for y, (old, new) in enumerate(zip_longest(before, self._lines, fillvalue=())):
            if y >= self.size.height:
                break
            width = _changed_width(old, new)
            if width:
                regions.append(Region(0, y, min(width, self.size.width), 1))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        cells = self._lines[y] if y < len(self._lines) else ()
        if self.archive_app.ascii_only:
            cells = [(to_ascii(text), style) for text, style in cells]
        return self.make_strip(cells, self.size.width)


def _changed_width(old: Line, new: Line) -> int:
    """Returns how many cells, from the left, hold all that differs."""
    if old == new:
        return 0
    before, after = _expand(old), _expand(new)
    length = max(len(before), len(after))
    before += [(" ", "")] * (length - len(before))
    after += [(" ", "")] * (length - len(after))
    while length and before[length - 1] == after[length - 1]:
        length -= 1
    # A wide character on one side moves what follows on the screen, although the same letters follow.
    widths = [cell_len("".join(letter for letter, _ in side[:length])) for side in (before, after)]
    if widths[0] == widths[1]:
        return widths[0]
    return max(cell_len("".join(letter for letter, _ in side)) for side in (before, after))


def _expand(line: Line) -> list[Cell]:
    return [(letter, style) for text, style in line for letter in text]
