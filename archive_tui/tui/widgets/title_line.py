"""The first line: the program at its left end, what the jobs do at its right end."""

from __future__ import annotations

from textual.strip import Strip

from archive_tui.tui.widgets.line_widget import LineWidget


class TitleLine(LineWidget):
    def __init__(self, text: str = "archive-tui", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.text = text
        self.summary = ""

    def show_summary(self, summary: str) -> None:
        if summary != self.summary:
            self.summary = summary
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.make_line(f" {self.text}", f"{self.summary} ", "heading")
