"""One field of a form: label, text entry, and a remark below that says at once what is wrong."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from archive_tui.tui.widgets.line_view import LineView

LABEL_WIDTH = 14


class FormField(Vertical):
    """`check` returns what is wrong with a text, empty when nothing is; it is asked at every key and must be quick."""

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        name: str,
        hint: str = "",
        check: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(name=name, id=f"field-{name}")
        self._label = label
        self._hint = hint
        self._check = check or (lambda text: "")
        self.input = Input(value, compact=True, select_on_focus=False)
        self.input.cursor_blink = False  # an idle screen sends nothing
        self._remark = LineView(classes="field-remark")

    def compose(self) -> ComposeResult:
        label = LineView(classes="field-label")
        label.show([[(f" {self._label}", "heading")]])
        with Horizontal():
            yield label
            yield self.input
        yield self._remark

    def on_mount(self) -> None:
        self._draw_remark()

    @property
    def value(self) -> str:
        return self.input.value

    @value.setter
    def value(self, text: str) -> None:
        if text != self.input.value:
            self.input.value = text
            self.input.cursor_position = len(text)

    @property
    def fault(self) -> str:
        return self._check(self.value)

    def on_input_changed(self, message: Input.Changed) -> None:
        self._draw_remark()

    def _draw_remark(self) -> None:
        fault = self.fault
        text, style = (f"✗ {fault}", "damaged") if fault else (self._hint, "weak")
        self._remark.show([[(" " * (LABEL_WIDTH + 1) + text, style)]])
