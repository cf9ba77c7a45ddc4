"""One listing for one pane, in a thread of its own: it hands over rows as they come and touches no widget."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from archive_tui.integrity.evidence import Evidence
from archive_tui.operations.listing import EntryTable, arrange_entries, load_entries
from archive_tui.progress import StopSignal
from archive_tui.tui.rows.dataset_rows import DatasetRows
from archive_tui.tui.rows.load_request import Loaded, LoadRequest
from archive_tui.tui.rows.manifest_loading import arrange_manifest, load_manifest, look_again
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.object_rows import ObjectRows
from archive_tui.tui.rows.pane_rows import PaneRows
from archive_tui.tui.rows.safe_loading import arrange_safe, load_safe, look_again_at
from archive_tui.tui.rows.safe_rows import SafeRows
from archive_tui.tui.rows.vault_loading import load_vault, rearrange_vault
from archive_tui.tui.rows.vault_rows import VaultRows

REARRANGE_GROWTH = 1.5
"""While a listing grows, it is sorted again only when it has grown by this factor; the count is told in between."""


Load = Callable[[LoadRequest, StopSignal], Iterator[Loaded]]

LONG_SAFE = 2_000
"""LOIs above which a datasafe is not listed again when a job has ended: it asks for those that are picked."""

UNSORTED_HELD = 0.6
"""Seconds for which entries that come in no order are not painted: sorted ones would take the place of nearly all."""


def load_rows(request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    """Yields the rows as they come; the last ones are complete.

    Raises: OperationStopped; what the store raises.
    """
    if request.view == "datasets":
        yield _load_datasets(request, stop)
    elif request.view == "manifest":
        yield from load_manifest(request, stop)
    elif request.view == "vault":
        yield from load_vault(request, stop)
    elif request.view == "datasafe":
        yield from load_safe(request, stop)
    else:
        yield from _load_objects(request, stop)


def rearranger_of(rows: PaneRows) -> Load | None:
    """What sorts and filters these rows anew, without listing again; None where that is not possible."""
    if isinstance(rows, ObjectRows) and rows.table.is_complete:
        objects = rows.table
        return lambda request, stop: iter((Loaded(arrange_rows(request, objects, stop), len(objects)),))
    if isinstance(rows, ManifestRows) and rows.is_complete:
        lines, states = rows.table, rows.states
        return lambda request, stop: iter((Loaded(arrange_manifest(request, lines, states, stop), len(lines)),))
    if isinstance(rows, VaultRows) and rows.is_complete:
        return lambda request, stop: iter((Loaded(rearrange_vault(rows, request, stop), len(rows.table)),))
    if isinstance(rows, SafeRows) and rows.is_complete:
        return lambda request, stop: iter((Loaded(arrange_safe(rows, request, stop), len(rows.whole)),))
    return None


def reloader_of(rows: PaneRows, names: Sequence[str]) -> Load | None:
    """What looks again at rows that are there, without listing anew: at the files and records of the lines of a
    manifest, at the LOIs `names` of a large datasafe. None for other rows."""
    if isinstance(rows, ManifestRows) and rows.is_complete:
        return lambda request, stop: look_again(request, rows.table, rows.states, stop)
    if isinstance(rows, SafeRows) and rows.is_complete and len(rows.whole) > LONG_SAFE:
        return lambda request, stop: look_again_at(rows, names, request, stop)
    return None


def _load_objects(request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    location, table = request.location, EntryTable()
    known = _lookup_evidence(request)
    shown = 0
    shown_from = math.inf
    for count in load_entries(location.store, location.prefix, table, evidence=known, stop=stop):
        if math.isinf(shown_from):
            shown_from = time.monotonic() + (0.0 if _is_in_order(table) else UNSORTED_HELD)
        if table.is_complete or (count >= shown * REARRANGE_GROWTH and time.monotonic() >= shown_from):
            shown = count
            yield Loaded(arrange_rows(request, table, stop), count)
        else:
            yield Loaded(None, count)


def _is_in_order(table: EntryTable) -> bool:
    """True when what has come so far is sorted by name, as from stores that list in order."""
    return all(before <= after for before, after in pairwise(table.names))


def arrange_rows(request: LoadRequest, table: EntryTable, stop: StopSignal) -> ObjectRows:
    """The rows of what is in `table` now, in the order that the request asks for.

    Raises: OperationStopped.
    """
    location = request.location
    is_complete = table.is_complete  # before the entries are counted: what comes later is not claimed
    arranged = arrange_entries(table, request.arrangement, stop=stop)
    return ObjectRows(
        table,
        arranged,
        request.arrangement,
        location.prefix,
        has_parent=location.parent is not None,
        shows_listed=location.storage is not None,
        now=time.time(),
        is_complete=is_complete,
        ascii_only=request.ascii_only,
    )


def _load_datasets(request: LoadRequest, stop: StopSignal) -> Loaded:
    from archive_tui.archives.datasets.catalog import list_datasets

    location = request.location
    summaries = list_datasets(location.store, location.prefix, stop=stop)
    rows = DatasetRows(
        summaries,
        _lookup_evidence(request),
        location.prefix,
        has_parent=location.parent is not None,
        now=time.time(),
        pattern=request.arrangement.pattern,
        ascii_only=request.ascii_only,
        expanded=set(request.expanded),
    )
    return Loaded(rows, len(summaries))


def _lookup_evidence(request: LoadRequest) -> dict[str, Evidence]:
    if request.evidence is None:
        return {}
    return request.evidence.lookup_prefix(request.location.store.identity, request.location.prefix)
