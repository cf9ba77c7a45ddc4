"""What is shown instead of a screen when the terminal is too small for it."""

from __future__ import annotations

from textual.strip import Strip

from archive_tui.tui.widgets.line_widget import LineWidget

LEAST_COLUMNS, LEAST_LINES = 60, 16


class SmallTerminal(LineWidget):
    def render_line(self, y: int) -> Strip:
        width, height = self.size
        sentences = (
            "This terminal is too small.",
            f"It has {width}x{height}, archive-tui",
            f"needs {LEAST_COLUMNS}x{LEAST_LINES}. Make it larger,",
            "or press q to leave.",
        )
        position = y - max(0, (height - len(sentences)) // 2)
        text = sentences[position] if 0 <= position < len(sentences) else ""
        return self.make_strip([(text.center(width)[:width], "")], width)
