"""What the panels say: keys, actions, places, the properties of an object, its first bytes. No widget is touched."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from archive_tui.integrity.evidence import Evidence
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_number, format_size
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.tui.actions.keymap import Keymap
from archive_tui.tui.actions.registry import Action, ActionContext
from archive_tui.tui.lines.states import state_of
from archive_tui.tui.lines.times import format_age
from archive_tui.tui.panes.panel import PanelLine
from archive_tui.tui.rows.selection import Selected

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.state.evidence_table import EvidenceTable

PREVIEW_BYTES = 16 * 1024
VALUE_WIDTH = 27
"""Cells for the value of a property, in the narrowest pane."""


def help_lines(actions: Iterable[Action], keymap: Keymap) -> list[PanelLine]:
    """All actions with all their keys, group by group."""
    lines: list[PanelLine] = []
    group = ""
    for action in actions:
        if action.group != group:
            group = action.group
            lines += [*([((" ", ""),)] if lines else []), ((group, "heading"),)]
        keys = keymap.all_labels(action)
        if keys:
            lines.append(((f"{keys:<9} ", "key"), (action.title, "")))
    return lines


def palette_lines(actions: Iterable[Action], keymap: Keymap, context: ActionContext) -> list[PanelLine]:
    lines: list[PanelLine] = []
    for action in actions:
        style = "" if action.available(context) else "weak"
        lines.append(((f"{keymap.label(action):<5} ", "key"), (action.title, style)))
    return lines


def place_lines(places: Iterable[tuple[Location, str]]) -> list[PanelLine]:
    return [((f"{kind:<9} ", "weak"), (escape_for_display(place.title), "")) for place, kind in places]


def property_lines(
    location: Location, selected: Selected | None, evidence_table: EvidenceTable | None, width: int = VALUE_WIDTH
) -> list[PanelLine]:
    """Asks the store about one object, and the records about its history; waits for both. `width`: cells of a value.

    Raises: what the store raises.
    """
    lines = [*labelled("store", location.store.label, width)]
    lines += labelled("opens by", f"archive-tui {location.word}", width)
    if selected is None:
        return lines
    lines += labelled("key", selected.key, width)
    if selected.dataset:
        lines += labelled("dataset", f"{selected.dataset} {selected.version or 'latest'}", width)
    if selected.is_folder:
        return lines
    lines += _info_lines(location.store.info(selected.key), width)
    history = evidence_table.history(location.store.identity, selected.key) if evidence_table is not None else []
    if history:
        return [*lines, *history_lines(history, width)]
    hint = "F6 verifies a dataset or a folder." if selected.digest is None else "F6 reads and hashes it."
    return [*lines, (("", ""),), (("Nothing is proven of it yet.", "weak"),), ((hint, "weak"),)]


def _info_lines(info: ObjectInfo, width: int) -> list[PanelLine]:
    exact = f" ({format_number(info.size)} bytes)" if info.size >= 0 else ": the storage does not tell it"
    lines = labelled("size", f"{format_size(info.size)}{exact}", width)
    if info.modified is not None:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(info.modified))
        lines += labelled("modified", moment) + labelled("age", format_age(info.modified))
    if info.version is not None:
        lines += labelled("tag", info.version, width)
    if info.digest is not None:
        lines += labelled("attested" if info.attested else "SHA-256", info.digest, width)
    return lines


def history_lines(history: Sequence[Evidence], width: int = VALUE_WIDTH) -> list[PanelLine]:
    lines: list[PanelLine] = [(("", ""),), (("evidence, the newest first", "heading"),)]
    for evidence in history:
        look = state_of(evidence).value
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(evidence.checked_at))
        lines.append(((f"{look.glyph} {look.word}", look.style), (f"  {when}", "")))
        lines += labelled("how", evidence.method, width)
        if evidence.digest is not None:
            lines += labelled("SHA-256", evidence.digest, width)
    return lines


def labelled(name: str, value: str, width: int = VALUE_WIDTH) -> list[PanelLine]:
    """A name and its value, on as many lines of `width` cells as it needs."""
    parts = textwrap.wrap(escape_for_display(value), max(10, width), break_on_hyphens=False) or [""]
    return [((f"{name if not number else '':<9} ", "weak"), (part, "")) for number, part in enumerate(parts)]


def read_preview(store: ObjectStore, key: str) -> bytes:
    """The first bytes of an object, by one ranged read.

    Raises: what the store raises.
    """
    with store.open(key, 0, PREVIEW_BYTES) as reader:
        parts, wanted = [], PREVIEW_BYTES
        while wanted > 0 and (part := reader.read(wanted)):
            parts.append(part)
            wanted -= len(part)
    return b"".join(parts)


def preview_lines(data: bytes, size: int | None, width: int) -> list[PanelLine]:
    """Text where it is text, else bytes in hexadecimal digits; says how much of the object that is."""
    part = "all of it" if size is not None and size <= len(data) else f"the first {format_size(len(data))}"
    head: list[PanelLine] = [((f"{part}{f' of {format_size(size)}' if size else ''}", "weak"),), (("", ""),)]
    text = decode_text(data)
    if not data:
        return [(("It is empty: 0 bytes.", "weak"),)]
    if text is None:
        return head + _hex_lines(data, width)
    return head + [
        ((escape_for_display(line[start : start + width].expandtabs(4)), ""),)
        for line in text.splitlines()
        for start in range(0, max(1, len(line)), width)
    ]


def decode_text(data: bytes) -> str | None:
    """The text of the bytes; None when they are none. A character cut off at the end does not count against it."""
    if b"\x00" in data:
        return None
    for cut in range(4):
        try:
            return data[: len(data) - cut].decode()
        except UnicodeDecodeError:
            continue
    return None


def _hex_lines(data: bytes, width: int) -> list[PanelLine]:
    per_line = 16 if width >= 6 + 2 + 16 * 2 + 8 + 2 + 16 else 8
    lines: list[PanelLine] = []
    for start in range(0, len(data), per_line):
        row = data[start : start + per_line]
        digits = " ".join(row[at : at + 2].hex() for at in range(0, len(row), 2))
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(((f"{start:06x} ", "weak"), (f"{digits:<{per_line * 5 // 2}}", ""), (shown, "weak")))
    return lines
