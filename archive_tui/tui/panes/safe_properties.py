"""What the panels say of a LOI, or of a folder of LOIs: state, evidence, files, metadata. No widget is touched."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from archive_tui.archives.datasafe.safe import DatasetDescription, MetadataText, OldVersion, Safe, SafeState
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import NOT_KNOWN, format_count, format_number, format_size, format_total
from archive_tui.tui.lines.cells import cut_middle
from archive_tui.tui.lines.states import SAFE_LOOKS
from archive_tui.tui.panes.panel import PanelLine
from archive_tui.tui.panes.panel_contents import history_lines, labelled
from archive_tui.tui.rows.safe_tree import SafeFolder

if TYPE_CHECKING:
    from archive_tui.state.evidence_table import EvidenceTable

FILES_SHOWN = 1000
"""Files of one dataset that a panel lists; of more it says how many."""

LABEL = 10
"""Cells of the names of properties."""

NO_DIGEST = "no SHA-256 is known"
_BLANK: PanelLine = (("", ""),)


def loi_lines(safe: Safe, loi: str, evidence_table: EvidenceTable | None, width: int) -> list[PanelLine]:
    """Everything about one LOI but its metadata; asks the safe and waits for it. `width`: cells of a value.

    Raises: what the safe raises.
    """
    found = safe.describe(loi)
    lines: list[PanelLine] = [((text[0][0], "heading"),) for text in _parts(loi, width + LABEL)]
    lines += labelled("safe", safe.label, width) + _fact_lines(found, width)
    if found.entry.state is SafeState.RESERVED:
        return [*lines, _BLANK, (("Reserved: nothing is deposited yet.", "weak"),)]
    history = evidence_table.history(safe.identity, loi) if evidence_table is not None else []
    if history:
        lines += history_lines(history, width)
    else:
        lines += [
            _BLANK,
            (("Not read since it was deposited.", "weak"),),
            (("F6 reads and hashes all of it.", "weak"),),
        ]
    return [*lines, *_old_lines(found.old_versions, width), *_file_lines(found, width)]


def contents_lines(safe: Safe, loi: str, width: int) -> list[PanelLine]:
    """The metadata files of a dataset, what its manifest says, and its files. `width`: cells of a line.

    Raises: what the safe raises.
    """
    found = safe.describe(loi)
    entry = found.entry
    lines: list[PanelLine] = [*_state_lines(found, max(10, width - 10))]
    if entry.state is SafeState.RESERVED:
        return [*lines, _BLANK, (("Reserved: nothing is deposited yet.", "weak"),)]
    for metadata in found.metadata:
        lines += _metadata_lines(metadata, width)
    if not found.metadata:
        lines += [_BLANK, (("It has no metadata file.", "doubtful"),)]
    lines += _manifest_lines(found, max(10, width - 10))
    return [*lines, *_file_lines(found, width, with_digests=False), *_old_lines(found.old_versions, width)]


def folder_lines(folder: SafeFolder, width: int) -> list[PanelLine]:
    lines = labelled("LOIs", f"{folder.path}…", width)
    lines += labelled("number", format_number(folder.lois), width)
    lines += labelled("reserved", format_number(folder.reserved), width)
    if folder.damaged:
        lines.append(((f"{'damaged':<9} ", "weak"), (format_number(folder.damaged), "damaged")))
    lines += labelled("size", format_total(folder.size, folder.unknown_sizes), width)
    return [*lines, _BLANK, (("F6 verifies all that is deposited here.", "weak"),)]


def _fact_lines(found: DatasetDescription, width: int) -> list[PanelLine]:
    entry = found.entry
    lines = _state_lines(found, width)
    if entry.files is not None:
        lines += labelled("files", format_number(entry.files), width)
    if entry.size is not None:
        lines += labelled("size", f"{format_size(entry.size)} ({format_number(entry.size)} bytes)", width)
    if entry.modified is not None:
        lines += labelled("since", _format_moment(entry.modified), width)
    if entry.digest is not None:
        lines += labelled("archive", f"SHA-256 {entry.digest}", width)
    return lines


def _state_lines(found: DatasetDescription, width: int) -> list[PanelLine]:
    look = SAFE_LOOKS[found.entry.state]
    lines: list[PanelLine] = [((f"{'state':<9} ", "weak"), (f"{look.glyph} {look.word}", look.style))]
    return [*lines, *(labelled("why", found.entry.detail, width) if found.entry.detail else [])]


def _metadata_lines(metadata: MetadataText, width: int) -> list[PanelLine]:
    lines: list[PanelLine] = [_BLANK, ((cut_middle(escape_for_display(metadata.name), width), "heading"),)]
    for line in metadata.text.splitlines():
        shown = escape_for_display(line.expandtabs(4))
        lines += [((shown[start : start + width], ""),) for start in range(0, max(1, len(shown)), width)]
    return [*lines, (("… the file goes on", "weak"),)] if metadata.is_cut else lines


def _manifest_lines(found: DatasetDescription, width: int) -> list[PanelLine]:
    manifest = found.manifest
    if manifest is None:
        return [_BLANK, (("No manifest could be read.", "doubtful"),)]
    lines: list[PanelLine] = [_BLANK, (("manifest", "heading"),)]
    lines += labelled("data", manifest.data_format, width)
    lines += labelled("complete", "yes" if manifest.complete else "not marked so", width)
    for each in manifest.metadata:
        lines += labelled("metadata", f"{each.name}: {each.format} {each.version}".rstrip(": "), width)
    for checksum in manifest.checksums:
        lines += labelled(checksum.name, f"{checksum.format} {checksum.value}", width)
    return lines


def _file_lines(found: DatasetDescription, width: int, *, with_digests: bool = True) -> list[PanelLine]:
    inventory, room = found.inventory, max(10, width - 10)
    lines: list[PanelLine] = [_BLANK, ((format_count(len(inventory), "file"), "heading"),)]
    for number, entry in enumerate(inventory):
        if number == FILES_SHOWN:
            return [*lines, ((f"and {format_number(len(inventory) - FILES_SHOWN)} more", "weak"),)]
        size = NOT_KNOWN if entry.size is None else format_size(entry.size)
        if with_digests:
            lines += labelled(size, entry.path, width)
            lines += [((f"{'':<10}", ""), (text[0][0], "weak")) for text in _parts(entry.digest or NO_DIGEST, width)]
        else:
            lines.append(((f"{size:>8}  ", "weak"), (cut_middle(escape_for_display(entry.path), room), "")))
    return lines


def _parts(text: str, width: int) -> list[PanelLine]:
    shown, size = escape_for_display(text), max(16, width)
    return [((shown[start : start + size], ""),) for start in range(0, len(shown), size)]


def _old_lines(versions: Iterable[OldVersion], width: int) -> list[PanelLine]:
    lines: list[PanelLine] = []
    for old in versions:
        size = NOT_KNOWN if old.size is None else format_size(old.size)
        when = "" if old.replaced_at is None else f", replaced {_format_moment(old.replaced_at)}"
        lines += labelled(f"old {old.number}", f"{size}{when}", width)
    return [_BLANK, (("old versions", "heading"),), *lines] if lines else []


def _format_moment(moment: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
    except (OverflowError, OSError, ValueError):
        return NOT_KNOWN
