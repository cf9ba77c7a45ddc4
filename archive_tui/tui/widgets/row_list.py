"""A list of lines that is longer than the screen: a cursor, a window onto the rows, and no scroll bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archive_tui.tui.lines.cells import pad_to
from archive_tui.tui.widgets.line_view import Line, LineView


class RowList(LineView):
    """Draws only the rows in its window. Keys come from the screen, by `move_cursor`."""

    def __init__(self, *, id: str | None = None, classes: str | None = None, has_cursor: bool = True) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._count = 0
        self._draw: Callable[[int], Line] = lambda index: ()
        self._top = 0
        self._has_cursor = has_cursor
        self.cursor = 0
        self.is_text = False

    @property
    def row_count(self) -> int:
        return self._count

    @property
    def window(self) -> tuple[int, int]:
        """The rows that are shown: from the first to before the last."""
        return self._top, min(self._count, self._top + self.size.height)

    def show_rows(self, rows: Sequence[Line]) -> None:
        self.show_drawn_rows(len(rows), rows.__getitem__)

    def show_text(self, rows: Sequence[Line]) -> None:
        """Shows lines of which none can be chosen, until rows are shown again."""
        self.show_drawn_rows(len(rows), rows.__getitem__, is_text=True)

    def show_drawn_rows(self, count: int, draw: Callable[[int], Line], *, is_text: bool = False) -> None:
        """`draw` makes the row of an index, from 0 to `count` - 1, when it comes into the window."""
        self.is_text = is_text
        self._count, self._draw = count, draw
        self.cursor = max(0, min(self.cursor, count - 1))
        self._draw_window()

    def move_cursor(self, by: int) -> None:
        """Moves the cursor, or the window where there is no cursor; stays inside the list."""
        last = self._count - 1 if self._has_cursor else max(0, self._count - self.size.height)
        self.cursor = max(0, min(self.cursor + by, last))
        self._draw_window()

    def move_page(self, pages: int) -> None:
        self.move_cursor(pages * max(1, self.size.height - 1))

    def move_to_end(self, *, is_last: bool) -> None:
        self.move_cursor(self._count if is_last else -self._count)

    def on_resize(self) -> None:
        self._draw_window()

    def _draw_window(self) -> None:
        height = self.size.height
        if not self._has_cursor or self.cursor < self._top:
            self._top = self.cursor
        elif height and self.cursor >= self._top + height:
            self._top = self.cursor - height + 1
        self._top = max(0, min(self._top, self._count - height))
        self.show([self._draw_row(index) for index in range(self._top, min(self._count, self._top + height))])

    def _draw_row(self, index: int) -> Line:
        row = self._draw(index)
        if self.is_text or not self._has_cursor or index != self.cursor:
            return row
        return [(pad_to("".join(text for text, _ in row), self.size.width), "cursor")]
