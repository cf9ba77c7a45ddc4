"""Text measured in terminal cells: wide characters take two, combining marks none. Text here is already escaped."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"

Cell = tuple[str, str]
"""Text, already escaped, and the name of a component style (empty: plain)."""


def take_cells(text: str, width: int) -> str:
    """Returns the longest beginning of `text` that fits into `width` cells."""
    if text.isascii():
        return text[: max(0, width)]
    taken, used = 0, 0
    for taken, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:taken]
    return text


def take_cells_from_end(text: str, width: int) -> str:
    """Returns the longest end of `text` that fits into `width` cells and does not begin with a combining mark."""
    if text.isascii():
        return text[-width:] if width > 0 else ""
    used, start = 0, len(text)
    for index in range(len(text) - 1, -1, -1):
        size = cell_len(text[index])
        if used + size > width:
            break
        used += size
        if size:
            start = index
    return text[start:]


def cut_middle(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Cuts out of the middle what does not fit: the beginning and the end of a name tell most."""
    if len(text) <= width and text.isascii():
        return text
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return take_cells(text, width)
    head = (width - 1 + 1) // 2
    beginning = take_cells(text, head)
    ending = take_cells_from_end(text, width - 1 - cell_len(beginning))
    return beginning + ellipsis + ending


def cut_end(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """For sentences: the end goes."""
    if cell_len(text) <= width:
        return text
    return take_cells(text, max(0, width - 1)) + ellipsis if width > 0 else ""


@lru_cache(maxsize=4096)
def fit_left(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Left-aligned in exactly `width` cells, cut in the middle."""
    return pad_to(cut_middle(text, width, ellipsis), width)


@lru_cache(maxsize=4096)
def fit_right(text: str, width: int) -> str:
    """Right-aligned in exactly `width` cells, cut at the end."""
    cut = take_cells(text, width)
    return " " * (width - cell_len(cut)) + cut


def pad_to(text: str, width: int) -> str:
    """Exactly `width` cells; a wide character that stands across the edge becomes a blank."""
    return text + " " * (width - len(text)) if text.isascii() and len(text) <= width else set_cell_size(text, width)
