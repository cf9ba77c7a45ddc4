"""What the panel says of a folder or a storage as a whole: what lies below it, and what the store promises."""

from __future__ import annotations

import time
from collections.abc import Callable

from archive_tui.names.quantities import format_count, format_number, format_size
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support, Traits
from archive_tui.tui.panes.panel import PanelLine
from archive_tui.tui.panes.panel_contents import labelled

MOST_COUNTED = 200_000
"""Objects after which a panel says `more than`: it is a look, no inventory."""

_TRAITS = (
    ("create_only", "never overwrites by itself"),
    ("conditional_replace", "replaces only what it was told"),
    ("attests_digest", "attests SHA-256"),
    ("server_side_copy", "copies by itself"),
    ("atomic_rename", "renames in one step"),
    ("versioning", "keeps earlier versions"),
)
_LOOKS = {Support.YES: ("✓", "proven"), Support.NO: ("–", "weak"), Support.UNKNOWN: ("?", "weak")}


def count_lines(store: ObjectStore, prefix: str, width: int, is_enough: Callable[[], bool]) -> list[PanelLine]:
    """Counts the objects below `prefix` until `is_enough` or MOST_COUNTED; lists the store and waits for it.

    Raises: what the store raises.
    """
    count = total = unknown = 0
    oldest: float | None = None
    newest: float | None = None
    is_whole = True
    for listed in store.list(prefix):
        if count >= MOST_COUNTED or is_enough():
            is_whole = False
            break
        if not isinstance(listed, ObjectInfo):
            continue
        count += 1
        total += max(0, listed.size)
        unknown += listed.size < 0
        if listed.modified is not None:
            oldest = listed.modified if oldest is None else min(oldest, listed.modified)
            newest = listed.modified if newest is None else max(newest, listed.modified)
    more = "" if is_whole else "more than "
    lines = labelled("holds", f"{more}{format_count(count, 'object')}", width)
    lines += labelled("size", f"{more}{format_size(total)} ({format_number(total)} bytes)", width)
    if unknown:
        lines += labelled("", f"of {format_number(unknown)} the size is not known", width)
    for label, moment in (("newest", newest), ("oldest", oldest)):
        if moment is not None:
            lines += labelled(label, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)), width)
    return lines


def trait_lines(store: ObjectStore, width: int) -> list[PanelLine]:
    """What the store promises; asks the server once. Raises: what probing the store raises."""
    traits: Traits = store.probe()
    lines: list[PanelLine] = [(("", ""),), (("what the store promises", "heading"),)]
    for name, words in _TRAITS:
        glyph, style = _LOOKS[getattr(traits, name)]
        lines.append(((f"{glyph} ", style), (words, "")))
    for remark in traits.remarks:
        lines += labelled("", remark, width)
    return lines
