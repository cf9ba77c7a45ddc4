"""Lists a vault for a pane, in a thread of its own: the contents first, then the names that manifests give them."""

from __future__ import annotations

import dataclasses
import time
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

from archive_tui.archives.vault.views.content_table import (
    LEAST_HEAD,
    MOST_CONTENTS,
    ContentTable,
    load_contents,
    measure_heads,
)
from archive_tui.archives.vault.views.known_names import NameIndex
from archive_tui.errors import ArchiveError
from archive_tui.names.quantities import format_number
from archive_tui.operations.listing import sort_in_runs
from archive_tui.progress import StopSignal, never
from archive_tui.tui.rows.load_request import Loaded, LoadRequest
from archive_tui.tui.rows.vault_rows import VaultRows, arrange_contents

REARRANGE_GROWTH = 1.5
"""While a listing grows, it is sorted again only when it has grown by this factor; the count is told in between."""


HELD = 0.2
"""Seconds for which rows without their names are not painted: mostly all of them come in that time."""

QUICK = 20_000
"""Contents and lines of manifests that are read before anybody waits for them."""


def load_vault(request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    """Yields the rows as they come; the names follow when all contents are listed. What is there at once comes at once,
    with its names.

    Raises: OperationStopped; what the store raises, after the rows that had come.
    """
    location = request.location
    table = ContentTable(location.vault_prefix)
    try:
        yield from _list_contents(request, table, stop)
    except ArchiveError:
        if len(table):
            yield Loaded(_make_rows(request, table, never, is_complete=False), len(table))
        raise
    names = request.names
    if len(table) + names.count_lines(location.store.identity, location.vault_prefix) > QUICK:
        yield Loaded(_make_rows(request, table, stop, is_complete=False), len(table))
    read = names.read(location.store.identity, location.vault_prefix, stop)
    rows = _make_rows(request, table, stop, is_complete=True)
    rows.head = measure_heads(table, rows.by_digest)
    rows.index = NameIndex(read, table, rows.by_digest, stop)
    arrange_contents(rows, request.arrangement, stop)
    cut = f"Only the first {format_number(MOST_CONTENTS)} objects are shown." if table.is_cut else ""
    yield Loaded(rows, len(table), remark=" ".join(filter(None, [cut, *read.remarks])))


def _list_contents(request: LoadRequest, table: ContentTable, stop: StopSignal) -> Iterator[Loaded]:
    shown, shown_from = 0, time.monotonic() + HELD
    for count in load_contents(request.location.store, table, request.evidence, stop):
        if not table.is_complete and time.monotonic() >= shown_from and count >= shown * REARRANGE_GROWTH:
            shown = count
            yield Loaded(_make_rows(request, table, stop, is_complete=False), count)
        else:
            yield Loaded(None, count)


def _make_rows(request: LoadRequest, table: ContentTable, stop: StopSignal, *, is_complete: bool) -> VaultRows:
    by_digest = sort_digests(table, stop)
    rows = VaultRows(
        table,
        by_digest,
        request.arrangement,
        now=time.time(),
        head=LEAST_HEAD + 2,
        is_complete=is_complete,
        ascii_only=request.ascii_only,
    )
    arrange_contents(rows, request.arrangement, stop)
    return rows


def rearrange_vault(rows: VaultRows, request: LoadRequest, stop: StopSignal) -> VaultRows:
    """The same contents in the order that the request asks for. Raises: OperationStopped."""
    arranged = dataclasses.replace(rows)
    arrange_contents(arranged, request.arrangement, stop)
    return arranged


def sort_digests(table: ContentTable, stop: StopSignal) -> Sequence[int]:
    """The positions of the contents by digest, without the foreign objects. Raises: OperationStopped."""
    foreign = table.foreign
    contents = [position for position in range(len(table)) if position not in foreign]
    if all(table.digest_bytes(before) <= table.digest_bytes(after) for before, after in pairwise(contents)):
        return array("I", contents)
    return array("I", sort_in_runs(contents, table.digest_bytes, stop=stop))
