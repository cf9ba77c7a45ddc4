"""Reads a manifest for a pane, in a thread of its own: lines first, then what the disk and the records know of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from archive_tui.archives.vault.views.line_table import (
    MOST_LINES,
    LineTable,
    load_lines,
    look_at_files,
    look_at_records,
)
from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.errors import SourceNotFound
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect
from archive_tui.names.quantities import format_number
from archive_tui.operations.listing import FIRST_BATCH, SortBy
from archive_tui.progress import StopSignal
from archive_tui.tui.rows.load_request import Loaded, LoadRequest
from archive_tui.tui.rows.manifest_arranging import arrange_lines, split_filter
from archive_tui.tui.rows.manifest_rows import ManifestRows

LONG_DOCUMENT = 8_000_000
"""Bytes above which going through a manifest to settle its dialect takes longer than a person should wait."""

REARRANGE_GROWTH = 1.5
"""While a long manifest is read, it is filtered and sorted again only when it has grown by this factor."""


def load_manifest(request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    """Yields the rows as they are read; the first that are complete come before the disk was asked for any file.

    Raises: OperationStopped; what opening the manifest raises.
    """
    from archive_tui.manifests.checksum_lines.reading import open_manifest

    document = _document_of(request)
    states, table, shown = find_states(request, document), LineTable(), 0
    yield from _show_beginning(request, document, states, stop)
    is_plain = not request.arrangement.pattern and request.arrangement.sort_by is SortBy.LINE
    with open_manifest(document, root=document.parent) as manifest:
        for count in load_lines(manifest, table, stop):
            is_last = table.is_complete or table.is_cut
            if not is_last and not is_plain and count < shown * REARRANGE_GROWTH:
                yield Loaded(None, count)
                continue
            shown = count
            yield Loaded(arrange_manifest(request, table, states, stop), count, remark=_describe_cut(table))
    yield from look_again(request, table, states, stop)


def _show_beginning(request: LoadRequest, document: Path, states: ManifestStates, stop: StopSignal) -> Iterator[Loaded]:
    """The first rows of a long manifest that begins with quoted names: whether all of them are is known only when it
    was gone through, and until then this is what it looks like."""
    from archive_tui.manifests.checksum_lines.reading import open_manifest

    if document.stat().st_size < LONG_DOCUMENT:
        return
    with open_manifest(document, dialect=Dialect.QUOTED) as manifest:
        first = list(islice(manifest.lines(), FIRST_BATCH))
    if any(isinstance(line, BadLine) for line in first):
        return
    table = LineTable()
    for line in first:
        table.append(line)
    yield Loaded(arrange_manifest(request, table, states, stop), len(table))


def look_again(request: LoadRequest, table: LineTable, states: ManifestStates, stop: StopSignal) -> Iterator[Loaded]:
    """Asks the disk and the records about the lines; yields whenever there is news, and the rows at last.

    Raises: OperationStopped.
    """
    vault, count = request.location.vault, len(table)
    if vault is not None and not states.vault_identity:
        states.begin_vault(vault.store.identity, vault.prefix, vault.title)
    if states.vault_identity and request.evidence is not None:
        for _ in look_at_records(table, request.evidence, states, stop):
            yield Loaded(None, count)
    for _ in look_at_files(table, _document_of(request).parent, states, stop):
        yield Loaded(None, count)
    if depends_on_states(request):
        yield Loaded(arrange_manifest(request, table, states, stop), count)


def depends_on_states(request: LoadRequest) -> bool:
    """Whether other states would make other rows."""
    return request.arrangement.sort_by is SortBy.STATE or bool(split_filter(request.arrangement.pattern)[1])


def arrange_manifest(request: LoadRequest, table: LineTable, states: ManifestStates, stop: StopSignal) -> ManifestRows:
    """Raises: OperationStopped."""
    is_complete = table.is_complete or table.is_cut  # before the lines are counted: what comes later is not claimed
    order = arrange_lines(table, states, request.arrangement, count=len(table), stop=stop)
    return ManifestRows(
        table,
        states,
        order,
        request.arrangement,
        request.location.prefix,
        now=time.time(),
        is_complete=is_complete,
        ascii_only=request.ascii_only,
    )


def find_states(request: LoadRequest, document: Path) -> ManifestStates:
    """Raises: SourceNotFound."""
    try:
        return request.states.of(document)
    except OSError as error:
        raise SourceNotFound(
            f"The manifest cannot be seen: {error.strerror}", path=str(document), hint="Was it moved, or deleted?"
        ) from error


def _document_of(request: LoadRequest) -> Path:
    document = request.location.document
    assert document is not None
    return document


def _describe_cut(table: LineTable) -> str:
    if not table.is_cut:
        return ""
    return f"Only the first {format_number(MOST_LINES)} lines are shown; the commands read all of them."
