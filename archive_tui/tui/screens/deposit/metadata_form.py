"""The form for a small metadata file, inside the guide that deposits files."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical

from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.cells import cut_middle
from archive_tui.tui.widgets.form_field import FormField
from archive_tui.tui.widgets.line_view import LineView

_HINTS = {
    "title": "What was measured, in one line.",
    "operator": "Who measured.",
    "sample": "What it was measured on; its LOI, where it has one.",
    "comment": "Anything that somebody will want to know in ten years.",
}


class MetadataForm(Vertical):
    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(id="deposit-form")
        self._intro = LineView(id="deposit-form-intro")
        self.fields = [
            FormField(name.capitalize(), values.get(name, ""), name=f"metadata-{name}", hint=hint)
            for name, hint in _HINTS.items()
        ]

    def compose(self) -> ComposeResult:
        yield self._intro
        yield from self.fields

    def begin(self, folder: Path) -> None:
        """Shows where the file is written, and takes the keys."""
        where = cut_middle(escape_for_display(str(folder)), max(12, self.app.size.width - 40))
        self._intro.show([[], [(f" Written as metadata.yaml into {where}", "")], []])
        self.fields[0].input.focus(scroll_visible=False)

    @property
    def values(self) -> dict[str, str]:
        return {name: field.value.strip() for name, field in zip(_HINTS, self.fields, strict=True)}

    @property
    def _focused(self) -> int | None:
        return next((index for index, field in enumerate(self.fields) if field.input is self.app.focused), None)

    @property
    def has_fields_left(self) -> bool:
        index = self._focused
        return index is not None and index + 1 < len(self.fields)

    def move_focus(self, by: int) -> bool:
        """Returns False when there is no field that way."""
        index = self._focused
        if index is None or not 0 <= index + by < len(self.fields):
            return False
        self.fields[index + by].input.focus(scroll_visible=False)
        return True
