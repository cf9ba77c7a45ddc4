"""The base of the line-drawn widgets: they paint strips of styled text, and only the lines that have changed.

Component styles are looked up once for a theme. Nothing here is focusable: focusing repaints a whole widget, so the
screen hands keys on itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from archive_tui.tui.lines.cells import Cell, pad_to, take_cells
from archive_tui.tui.lines.glyphs import ASCII, UNICODE, Glyphs, to_ascii

if TYPE_CHECKING:
    from archive_tui.tui.archive_app import ArchiveApp

STYLE_NAMES = (
    "plain", "weak", "frame", "heading", "title", "folder", "proven", "attested", "doubtful", "damaged", "running",
    "cursor", "other-cursor", "key", "marked",
)  # fmt: skip


class LineWidget(Widget, can_focus=False):
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{name}" for name in STYLE_NAMES}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id, classes=classes)
        self._looks: dict[str, Style] = {}
        self._painted: dict[int, list[Cell]] = {}

    def line_cells(self, y: int) -> list[Cell]:
        """What line `y` holds now; a widget that changes often overrides this instead of `render_line`."""
        return []

    def render_line(self, y: int) -> Strip:
        cells = self._painted[y] = self.line_cells(y)
        return self.make_strip(cells, self.size.width)

    def refresh_changed(self) -> None:
        """Repaints the lines that no longer are what was painted last, and only those."""
        changed = [y for y in range(self.size.height) if self._painted.get(y) != self.line_cells(y)]
        self.refresh_lines(*changed)

    @property
    def archive_app(self) -> ArchiveApp:
        return cast("ArchiveApp", self.app)

    @property
    def glyphs(self) -> Glyphs:
        return ASCII if self.archive_app.ascii_only else UNICODE

    def notify_style_update(self) -> None:
        self._looks.clear()
        super().notify_style_update()

    def look(self, name: str) -> Style:
        """The style of a component; the empty name is plain text."""
        style = self._looks.get(name)
        if style is None:
            style = self._looks[name] = self.get_component_rich_style(f"line--{name or 'plain'}")
        return style

    def refresh_lines(self, *lines: int) -> None:
        """Repaints some lines, in the widget's own coordinates; lines outside of it are left out."""
        height, width = self.size.height, self.size.width
        regions = [Region(0, line, width, 1) for line in set(lines) if 0 <= line < height]
        if regions:
            self.refresh(*regions)

    def make_strip(self, cells: Iterable[Cell], width: int) -> Strip:
        """Joins neighbours of one style, for each style change costs some 25 bytes; exactly `width` cells."""
        joined: list[tuple[str, Style]] = []
        ascii_only = self.archive_app.ascii_only
        for text, name in cells:
            if ascii_only:
                text = to_ascii(text)
            style = self.look(name)
            if joined and (joined[-1][1] == style or (not text.strip() and not _shows_blanks(style, joined[-1][1]))):
                joined[-1] = (joined[-1][0] + text, joined[-1][1])
            elif text:
                joined.append((text, style))
        segments = [Segment(text, style) for text, style in joined]
        return Strip(segments).adjust_cell_length(width, self.look(""))

    def make_line(self, left: str, right: str, style: str = "") -> Strip:
        """One line of `left` and, at its end, `right`; `left` gives way where there is too little room."""
        width = self.size.width
        right = take_cells(right, width)
        room = width - len(right)
        return self.make_strip([(pad_to(left, room), style), (right, style)], width)


def _shows_blanks(style: Style, before: Style) -> bool:
    """True where a blank would look different in the style before it."""
    return (before.reverse, before.underline, before.bgcolor) != (style.reverse, style.underline, style.bgcolor)
