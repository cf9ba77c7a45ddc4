"""The signs that screens draw with, and their twins for terminals that cannot show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """`frame`: top left, top right, bottom left, bottom right, horizontal, vertical."""

    frame: tuple[str, str, str, str, str, str] = ("╭", "╮", "╰", "╯", "─", "│")
    active_edge: str = "━"
    mark: str = "•"
    running: str = "▸"
    ellipsis: str = "…"
    separator: str = " · "


UNICODE = Glyphs()
ASCII = Glyphs(("+", "+", "+", "+", "-", "|"), "=", "*", ">", "~", " - ")

_TO_ASCII = str.maketrans({"·": "-", "▸": ">", "…": "~", "–": "-", "→": "->", "✓": "v", "│": "|", "─": "-", "↑": "^", "↓": "v"})


def to_ascii(text: str) -> str:
    """Our own sentences without signs; what is left of other letters becomes a question mark."""
    return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")
