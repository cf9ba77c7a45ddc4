"""The line that says what happened last, in a sentence, with its time; and the place of short questions."""

from __future__ import annotations

import re
import textwrap
import time

from rich.cells import cell_len
from textual.strip import Strip

from archive_tui.tui.lines.cells import Cell, cut_end, pad_to, take_cells_from_end
from archive_tui.tui.lines.times import format_clock
from archive_tui.tui.widgets.line_editor import Prompt
from archive_tui.tui.widgets.line_widget import LineWidget

MOST_LINES = 3

_LAST_KEY = re.compile(r"· \S+ \S+$")


def wrap_question(question: str, room: int) -> list[str]:
    """At most three lines; a key is never parted from its word at the end, `· Esc no`."""
    bound = _LAST_KEY.sub(lambda found: found[0].replace(" ", "\u00a0"), question)
    lines = textwrap.wrap(bound, room, break_on_hyphens=False, max_lines=MOST_LINES, placeholder=" …")
    return [line.replace("\u00a0", " ") for line in lines]


class StatusLine(LineWidget):
    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self.sentence = ""
        self.said_at: float | None = None
        self.prompt: Prompt | None = None

    def say(self, sentence: str, *, with_time: bool = True) -> None:
        """`sentence` is already escaped where it holds names."""
        self.sentence = sentence
        self.said_at = time.time() if with_time else None
        self._make_room()
        self.refresh()

    def ask(self, prompt: Prompt | None) -> None:
        self.prompt = prompt
        self._make_room()
        self.refresh()

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        """A long sentence or question gets more lines: what it says last is what to do."""
        count = len(self._sentence_lines()) if self.prompt is None else len(self._question_lines(self.prompt))
        if self.styles.height is None or self.styles.height.value != count:
            self.styles.height = count

    def _sentence_lines(self) -> list[str]:
        clock = f"{format_clock(self.said_at)} " if self.said_at is not None else ""
        room = max(10, self.size.width - 1 - len(clock) - 1)
        if not self.size.width or cell_len(self.sentence) <= room:
            return [f" {clock}{self.sentence}"]
        lines = textwrap.wrap(self.sentence, room, break_on_hyphens=False, max_lines=MOST_LINES, placeholder=" …")
        return [f" {clock if number == 0 else ' ' * len(clock)}{line}" for number, line in enumerate(lines)]

    def _question_lines(self, prompt: Prompt) -> list[str]:
        """What one types on stays one line; so does what fits into it."""
        room = max(10, self.size.width - 2)
        if not prompt.choices or not self.size.width or cell_len(prompt.label) <= room:
            return [prompt.label]
        return wrap_question(prompt.label, room)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self.prompt is not None:
            return self.make_strip(self._prompt_cells(self.prompt, width, y), width)
        lines = self._sentence_lines()
        text = lines[y] if y < len(lines) else ""
        return self.make_strip([(cut_end(text, width - 1, self.glyphs.ellipsis), "")], width)

    def _prompt_cells(self, prompt: Prompt, width: int, y: int) -> list[Cell]:
        lines = self._question_lines(prompt)
        if y >= len(lines):
            return []
        label = f" {lines[y]} "
        if prompt.choices or prompt.is_silent:
            return [(pad_to(cut_end(label, width, self.glyphs.ellipsis), width), "heading")]
        room = max(4, width - len(label) - 2)
        before = take_cells_from_end(prompt.editor.text[: prompt.editor.cursor], room)
        after = prompt.editor.text[prompt.editor.cursor :]
        return [(label, "heading"), (before, ""), (after[:1] or " ", "cursor"), (after[1:], "")]
