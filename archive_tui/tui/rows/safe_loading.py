"""Lists a datasafe for a pane, in a thread of its own."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

from archive_tui.archives.datasafe.safe import Safe, SafeEntry, SafeState
from archive_tui.archives.vault.views.line_table import WORK_RUN, give_way
from archive_tui.errors import ArchiveError, LoiNotFoundError
from archive_tui.integrity.evidence import Evidence
from archive_tui.operations.listing import make_name_filter
from archive_tui.progress import StopSignal, check_stop
from archive_tui.tui.rows.load_request import Loaded, LoadRequest
from archive_tui.tui.rows.safe_rows import SHOWN, SafeRows
from archive_tui.tui.rows.safe_tree import SafeTree

UNFOLDED_AT_FIRST = 40
"""LOIs up to which all folders are unfolded when a datasafe is opened."""

TOLD_EVERY = 0.2
REARRANGE_GROWTH = 1.5
"""Seconds after which a count is told; growth after which the rows that have come are shown anew."""


def load_safe(request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    """Yields the rows as they come; the last ones are complete.

    Raises: OperationStopped; what the safe raises, after the rows that had come.
    """
    expanded, tree = set(request.expanded), SafeTree()
    with request.open_safe(request.location) as safe:
        rows = SafeRows(
            tree,
            _lookup_evidence(request, safe),
            request.arrangement,
            expanded,
            has_parent=request.location.folder is not None,
            now=time.time(),
            ascii_only=request.ascii_only,
        )
        try:
            yield from _list_entries(safe, rows, request, stop)
        except ArchiveError:
            if len(tree):
                yield Loaded(arrange_safe(rows, request, stop), len(tree))
            raise
    if not expanded and len(tree) <= UNFOLDED_AT_FIRST:
        expanded |= tree.folder_paths
    expanded.add(SHOWN)
    rows.is_complete = True
    yield Loaded(arrange_safe(rows, request, stop), len(tree))


def _list_entries(safe: Safe, rows: SafeRows, request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    tree, shown, told_at = rows.whole, 0, time.monotonic()
    for entry in safe.entries(stop=stop):
        check_stop(stop)
        tree.append(entry)
        if len(tree) % 64 or time.monotonic() - told_at < TOLD_EVERY:
            continue
        told_at = time.monotonic()
        if len(tree) >= shown * REARRANGE_GROWTH:
            shown = len(tree)
            yield Loaded(arrange_safe(rows, request, stop), shown)
        else:
            yield Loaded(None, len(tree))


def arrange_safe(rows: SafeRows, request: LoadRequest, stop: StopSignal) -> SafeRows:
    """The same LOIs in the order that the request asks for; those that its filter lets through.

    Raises: OperationStopped.
    """
    pattern = request.arrangement.pattern
    filtered = _filter_tree(rows.whole, make_entry_filter(pattern), stop) if pattern else None
    return dataclasses.replace(rows, arrangement=request.arrangement, filtered=filtered)


def _filter_tree(whole: SafeTree, accepts: Callable[[SafeEntry], bool], stop: StopSignal) -> SafeTree:
    found = SafeTree()
    for start in range(0, len(whole), WORK_RUN):
        check_stop(stop)
        for entry in whole.entries[start : start + WORK_RUN]:
            if accepts(entry):
                found.append(entry)
        give_way()
    return found


def make_entry_filter(pattern: str) -> Callable[[SafeEntry], bool]:
    """`:damaged`, `:reserved` and `:deposited` stand for states, all else for a part of the LOI."""
    words = pattern.split()
    states = {SafeState(word[1:]) for word in words if word[:1] == ":" and word[1:] in set(SafeState)}
    names = make_name_filter(" ".join(word for word in words if word[:1] != ":" or word[1:] not in set(SafeState)))

    def accepts(entry: SafeEntry) -> bool:
        return (not states or entry.state in states) and (names is None or names(entry.loi))

    return accepts


def look_again_at(rows: SafeRows, lois: Sequence[str], request: LoadRequest, stop: StopSignal) -> Iterator[Loaded]:
    """Asks anew only for these LOIs, and for what is proven of all.

    Raises: OperationStopped; what the safe raises.
    """
    with request.open_safe(request.location) as safe:
        known = _lookup_evidence(request, safe)
        for loi in lois:
            check_stop(stop)
            try:
                entry = safe.look(loi)
            except LoiNotFoundError:
                continue
            for tree in filter(None, (rows.whole, rows.filtered)):
                tree.replace(entry)
    yield Loaded(dataclasses.replace(rows, evidence=known), len(rows.whole))


def _lookup_evidence(request: LoadRequest, safe: Safe) -> dict[str, Evidence]:
    return {} if request.evidence is None else request.evidence.lookup_prefix(safe.identity, "")
