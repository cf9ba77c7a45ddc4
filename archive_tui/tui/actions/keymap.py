"""Which key does what: the mc preset (the keys that the actions name) and a vim preset beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archive_tui.tui.actions.registry import Action

VIM_KEYS: Mapping[str, tuple[str, ...]] = {
    "cursor.up": ("k", "up"),
    "cursor.down": ("j", "down"),
    "cursor.page-up": ("ctrl+u", "ctrl+b", "pageup"),
    "cursor.page-down": ("ctrl+d", "ctrl+f", "pagedown"),
    "cursor.home": ("g", "home"),
    "cursor.end": ("G", "end"),
    "pane.up": ("h", "backspace", "left"),
    "pane.open": ("l", "enter", "right"),
    "pane.go": ("e",),
}
PRESETS: Mapping[str, Mapping[str, tuple[str, ...]]] = {"mc": {}, "vim": VIM_KEYS}

_LABELS = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "asterisk": "*",
    "equals_sign": "=",
    "full_stop": ".",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "insert": "Ins",
    "delete": "Del",
    "escape": "Esc",
    "backspace": "Bksp",
}
_ASCII_LABELS = {"up": "Up", "down": "Down", "left": "Left", "right": "Right"}


class Keymap:
    """The keys of one preset. An unknown name of a preset is taken as `mc`."""

    def __init__(self, preset: str = "mc", *, ascii_only: bool = False) -> None:
        self.preset = preset if preset in PRESETS else "mc"
        self._own_keys = PRESETS[self.preset]
        self._ascii_only = ascii_only

    def keys_of(self, action: Action) -> tuple[str, ...]:
        return self._own_keys.get(action.id, action.keys)

    def find(self, key: str, actions: Iterable[Action]) -> Action | None:
        """The first of `actions` that has this key; a preset's own keys come before those that actions name."""
        candidates = [action for action in actions if key in self.keys_of(action)]
        own = [action for action in candidates if action.id in self._own_keys]
        return next(iter(own or candidates), None)

    def label(self, action: Action) -> str:
        """The key as people read it, empty when the action has none."""
        keys = self.keys_of(action)
        return self.key_label(keys[0]) if keys else ""

    def all_labels(self, action: Action) -> str:
        return " ".join(self.key_label(key) for key in self.keys_of(action))

    def key_label(self, key: str) -> str:
        if self._ascii_only and key in _ASCII_LABELS:
            return _ASCII_LABELS[key]
        if key in _LABELS:
            return _LABELS[key]
        if key.startswith("ctrl+"):
            return "^" + self.key_label(key[5:]).upper()
        return key.capitalize() if len(key) > 1 else key
