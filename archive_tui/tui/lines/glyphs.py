"""The signs that screens draw with, and their twins for terminals that cannot show them."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len


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

_TO_ASCII = str.maketrans(
    {
        "·": "-",
        "▸": ">",
        "▹": "}",
        "‖": "=",
        "↻": "~",
        "…": "~",
        "–": "-",
        "→": ">",
        "├": "|",
        "└": "`",
        "◇": ".",
        "◆": "a",
        "▪": "r",
        "✗": "X",
        "○": "o",
        "•": "*",
        "✓": "v",
        "│": "|",
        "─": "-",
        "›": ">",
        "⌄": "v",
        "↑": "^",
        "↓": "v",
    }
)


def to_ascii(text: str) -> str:
    """Our signs by their twins; what is left of other letters becomes question marks, as wide as they were."""
    if text.isascii():
        return text
    twins = text.translate(_TO_ASCII)
    return "".join(letter if letter.isascii() else "?" * cell_len(letter) for letter in twins)


def name_in_ascii(name: str) -> str:
    """A name that can be told from others: other letters as escapes."""
    return name.encode("ascii", "backslashreplace").decode("ascii")
