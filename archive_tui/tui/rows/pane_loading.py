"""One listing for one pane, in a thread of its own: it hands over rows as they come and touches no widget."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from archive_tui.integrity.evidence import Evidence
from archive_tui.operations.listing import Arrangement, EntryTable, arrange_entries, load_entries
from archive_tui.progress import StopSignal
from archive_tui.tui.rows.dataset_rows import DatasetRows
from archive_tui.tui.rows.object_rows import ObjectRows
from archive_tui.tui.rows.pane_rows import PaneRows

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.state.evidence_table import EvidenceTable

REARRANGE_GROWTH = 1.5
"""While a listing grows, it is sorted again only when it has grown by this factor; the count is told in between."""


UNSORTED_HELD = 0.6
"""Seconds for which entries that come in no order are not painted: sorted ones would take the place of nearly all."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """`rows` None: only the count, `loaded`, has changed."""

    rows: PaneRows | None
    loaded: int


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What a pane wants to see. `evidence` None: nothing is known about any object."""

    location: Location
    view: str
    arrangement: Arrangement
    evidence: EvidenceTable | None
    ascii_only: bool = False
    expanded: frozenset[str] = frozenset()


def load_rows(request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    """Yields the rows as they come; the last ones are complete.

    Raises: OperationStopped; what the store raises.
    """
    if request.view == "datasets":
        yield _load_datasets(request, stop)
    else:
        yield from _load_objects(request, stop)


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
