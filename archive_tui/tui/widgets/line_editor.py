"""One line of text being typed. Pure: keys in, text and cursor out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class LineEditor:
    text: str = ""
    cursor: int = 0

    def __post_init__(self) -> None:
        self.cursor = len(self.text)

    def handle(self, key: str, character: str | None) -> bool:
        """Applies one key; False when it is none for an editor."""
        before, after = self.text[: self.cursor], self.text[self.cursor :]
        if key == "backspace":
            self._set(before[:-1], after)
        elif key == "delete":
            self._set(before, after[1:])
        elif key == "ctrl+u":
            self._set("", after)
        elif key == "ctrl+w":
            self._set(before.rstrip().rpartition(" ")[0], after)
        elif key in ("left", "right"):
            self.cursor = min(max(0, self.cursor + (1 if key == "right" else -1)), len(self.text))
        elif key in ("home", "end"):
            self.cursor = 0 if key == "home" else len(self.text)
        elif character is not None and character.isprintable():
            self._set(before + character, after)
        else:
            return False
        return True

    def insert(self, text: str) -> None:
        """Inserts pasted text; its line ends become blanks."""
        clean = "".join(character if character.isprintable() else " " for character in text)
        self._set(self.text[: self.cursor] + clean, self.text[self.cursor :])

    def _set(self, before: str, after: str) -> None:
        self.text, self.cursor = before + after, len(before)


@dataclass(slots=True)
class Prompt:
    """A question in the status line. `changed` hears every change, `accepted` the text on Enter, `cancelled` an Esc.
    `intercept` sees every key first and returns True for those it has used up. With `choices` a single key answers:
    it is a question without a line to type on, and every other key is an Esc. `is_silent`: the label stands alone,
    for a panel that takes the keys."""

    label: str
    accepted: Callable[[str], None]
    editor: LineEditor
    changed: Callable[[str], None] | None = None
    cancelled: Callable[[], None] | None = None
    intercept: Callable[[str], bool] | None = None
    choices: frozenset[str] = frozenset()
    is_silent: bool = False
