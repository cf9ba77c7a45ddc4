"""What the panel says of one line of a manifest, or of one content of a vault. No widget is touched."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from archive_tui.archives.vault.views.manifest_states import DiskState
from archive_tui.names.content_address import content_key
from archive_tui.names.quantities import format_number, format_size
from archive_tui.tui.lines.states import DISK_LOOKS, VAULT_LOOKS, StateLook
from archive_tui.tui.panes.panel import PanelLine
from archive_tui.tui.panes.panel_contents import history_lines, labelled, property_lines
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.vault_rows import VaultRows

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.archives.vault.views.known_names import NameIndex
    from archive_tui.state.evidence_table import EvidenceTable

NAMES_SHOWN = 200


def content_lines(
    location: Location, rows: VaultRows, row: int, evidence_table: EvidenceTable | None, width: int
) -> list[PanelLine]:
    """Everything about one object of a vault; asks the store and waits for it. `width`: cells of a value.

    Raises: what the store raises.
    """
    selected = rows.selected(row)
    assert selected is not None
    properties = property_lines(location, selected, evidence_table, width)
    if selected.digest is None:
        return [*labelled("foreign", "no content: its key is not made of a digest", width), *properties]
    names = _name_lines(rows.index, rows.position(row), width)
    return [*labelled("SHA-256", selected.digest, width), *properties, *names]


def _name_lines(index: NameIndex | None, position: int, width: int) -> list[PanelLine]:
    lines: list[PanelLine] = [(("", ""),), (("known names", "heading"),)]
    count = index.count(position) if index is not None else 0
    if index is None or not count:
        sentence = "The names are still being read." if index is None else "No manifest that was used here names it."
        return [*lines, ((sentence, "weak"),)]
    for manifest, name in index.lines(position, NAMES_SHOWN):
        lines += labelled("name", name, width) + labelled("in", str(manifest.path), width)
    if count > NAMES_SHOWN:
        lines.append(((f"and {format_number(count - NAMES_SHOWN)} more", "weak"),))
    return lines


def line_lines(
    location: Location, rows: ManifestRows, row: int, evidence_table: EvidenceTable | None, width: int
) -> list[PanelLine]:
    """Everything about one line of a manifest; asks the records, nobody else. `row` is not the way up."""
    position, states = rows.order[row - 1], rows.states
    line = rows.table.line(position)
    where = labelled("line", f"{format_number(line.number)} of {location.title}", width)
    if rows.table.is_bad(position):
        return [*where, *labelled("bad", line.name, width)]
    disk, vault = DISK_LOOKS[DiskState(states.disk.get(position))], VAULT_LOOKS[states.vault.get(position)]
    lines = [
        *labelled("name", line.name, width),
        *where,
        *labelled("SHA-256", line.digest, width),
        *labelled("size", _describe_size(rows.table.size(position), is_listed=line.size is not None), width),
        *_state_lines("on disk", disk, states.disk.moment(position)),
        *_state_lines("in vault", vault, states.vault.moment(position)),
    ]
    if not states.vault_identity:
        return lines
    key = content_key(line.digest, states.vault_prefix)
    lines += labelled("vault", states.vault_title, width) + labelled("key", key, width)
    history = evidence_table.history(states.vault_identity, key) if evidence_table is not None else []
    return [*lines, *(history_lines(history, width) if history else [])]


def _describe_size(size: int | None, *, is_listed: bool) -> str:
    if size is None:
        return "not known"
    return f"{format_size(size)} ({format_number(size)} bytes){'' if is_listed else ' on disk'}"


def _state_lines(label: str, look: StateLook, moment: float | None) -> list[PanelLine]:
    when = "" if moment is None else time.strftime("  %Y-%m-%d %H:%M", time.localtime(moment))
    return [((f"{label:<9} ", "weak"), (f"{look.glyph} {look.word}", look.style), (when, ""))]
