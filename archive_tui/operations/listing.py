"""A listing for a pane: entries in columns that take little memory, handed out while they still arrive.

One thread loads; others may look at the first `len(table)` entries at any time. Sorting goes in small runs, so that
a million names do not hold the interpreter's lock while somebody types.
"""

from __future__ import annotations

import math
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from archive_tui.integrity.evidence import Evidence
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectStore
from archive_tui.progress import StopSignal, check_stop, never

FIRST_BATCH = 100
"""Entries after which the first rows are handed out; fewer than any store puts on a page."""

BATCH_SECONDS = 0.2
RUN_LENGTH = 4096
"""Entries that are sorted at a time: a few milliseconds."""

_FOLDER, _NOT_KNOWN = -1, -2
"""In the column of sizes."""


class EntryTable:
    """Append-only columns: about 100 bytes for each entry with a name of 30 characters.

    `evidence` and `stale` are kept for those few entries that have any, by index. Sizes are bytes, times seconds
    since the epoch.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sizes = array("q")
        self.times = array("d")
        self.evidence: dict[int, Evidence] = {}
        self.stale: set[int] = set()
        self.total_bytes = 0
        self.unknown_sizes = 0
        self.is_complete = False

    def __len__(self) -> int:
        return len(self.names)

    def append(self, name: str, size: int | None, modified: float | None) -> None:
        """Adds one entry; a folder has the size None, and its name ends in `/`. A negative size is not known."""
        is_known = size is None or size >= 0
        self.sizes.append(_FOLDER if size is None else size if is_known else _NOT_KNOWN)
        self.times.append(math.nan if modified is None else modified)
        self.total_bytes += size or 0 if is_known else 0
        self.unknown_sizes += not is_known
        self.names.append(name)  # last: the length of the table is the length of this column

    def is_folder(self, index: int) -> bool:
        return self.sizes[index] == _FOLDER

    def size(self, index: int) -> int | None:
        """None for a folder, and for an object whose size the store does not tell."""
        size = self.sizes[index]
        return None if size < 0 else size

    def modified(self, index: int) -> float | None:
        moment = self.times[index]
        return None if math.isnan(moment) else moment


def load_entries(
    store: ObjectStore,
    prefix: str,
    table: EntryTable,
    *,
    evidence: Mapping[str, Evidence] | None = None,
    stop: StopSignal = never,
) -> Iterator[int]:
    """Fills `table` with what lies directly below `prefix`; yields the count of entries from time to time.

    The first yield comes with the first page, the last one when the listing is complete (`table.is_complete`).

    Raises: OperationStopped within one entry of the stop; what the store raises. What was loaded stays.
    """
    known = evidence or {}
    next_count, next_time = FIRST_BATCH, time.monotonic() + BATCH_SECONDS
    for listed in store.list(prefix, recursive=False):
        check_stop(stop)
        _append_listed(table, listed, len(prefix), known)
        count = len(table)
        if count == next_count or (count % 64 == 0 and time.monotonic() >= next_time):
            yield count
            next_count, next_time = 0, time.monotonic() + BATCH_SECONDS
    check_stop(stop)
    table.is_complete = True
    yield len(table)


def _append_listed(table: EntryTable, listed: Listed, cut: int, known: Mapping[str, Evidence]) -> None:
    name = listed.key[cut:]
    if not isinstance(listed, ObjectInfo):
        table.append(name, None, listed.modified)
        return
    evidence = known.get(listed.key)
    if evidence is not None:
        index = len(table)
        table.evidence[index] = evidence
        if has_changed_since(evidence, listed):
            table.stale.add(index)
    table.append(name, listed.size, listed.modified)


def has_changed_since(evidence: Evidence, listed: ObjectInfo) -> bool:
    """True when the listed object is visibly another one than that which the evidence is about."""
    if listed.size >= 0 and evidence.size != listed.size:
        return True
    return None not in (evidence.version, listed.version) and evidence.version != listed.version


class SortBy(StrEnum):
    """LINE is the order of the lines of a document; STATE puts first what needs a look."""

    NAME = "name"
    SIZE = "size"
    MODIFIED = "modified"
    LINE = "line"
    NAMES = "names"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which entries are shown, in which order; folders always come first. `pattern` empty: all; with `*?[` a glob over
    the whole name, else a part of it, both without regard to case."""

    sort_by: SortBy = SortBy.NAME
    is_reversed: bool = False
    pattern: str = ""
    shows_hidden: bool = False


@dataclass(slots=True)
class ArrangedRows:
    """Positions in the table, in the order of the screen. `covered` entries of the table were looked at. `total_bytes`
    leaves out those whose size is not known; there are `unknown_sizes`."""

    order: Sequence[int] = field(default_factory=lambda: array("I"))
    covered: int = 0
    total_bytes: int = 0
    unknown_sizes: int = 0
    hidden: int = 0


def arrange_entries(table: EntryTable, arrangement: Arrangement, *, stop: StopSignal = never) -> ArrangedRows:
    """Returns the entries that are there now, filtered and sorted; memory: 4 bytes an entry, more while it runs.

    Raises: OperationStopped.
    """
    covered = len(table)
    folders: list[int] = []
    files: list[int] = []
    hidden = 0
    accepts = make_name_filter(arrangement.pattern)
    for index in range(covered):
        if index % RUN_LENGTH == 0:
            check_stop(stop)
        name = table.names[index]
        if name.startswith(".") and not arrangement.shows_hidden:
            hidden += 1
        elif accepts is None or accepts(name):
            (folders if table.sizes[index] == _FOLDER else files).append(index)
    order = array("I", _sorted_part(table, folders, arrangement, stop))
    order.extend(_sorted_part(table, files, arrangement, stop))
    total, unknown = table.total_bytes, table.unknown_sizes
    if len(files) + len(folders) != covered:
        total = sum(max(0, table.sizes[index]) for index in files)
        unknown = sum(table.sizes[index] == _NOT_KNOWN for index in files)
    return ArrangedRows(order, covered, total, hidden=hidden, unknown_sizes=unknown)


def make_name_filter(pattern: str) -> Callable[[str], bool] | None:
    """None for an empty pattern."""
    wanted = pattern.casefold()
    if not wanted:
        return None
    if any(character in wanted for character in "*?["):
        return lambda name: fnmatchcase(name.rstrip("/").casefold(), wanted)
    return lambda name: wanted in name.casefold()


def _sorted_part(table: EntryTable, part: list[int], arrangement: Arrangement, stop: StopSignal) -> list[int]:
    by_name = sort_in_runs(part, table.names.__getitem__, stop=stop)
    if arrangement.sort_by is SortBy.SIZE:
        by_name = sort_in_runs(by_name, lambda index: -table.sizes[index], stop=stop)
    elif arrangement.sort_by is SortBy.MODIFIED:
        by_name = sort_in_runs(by_name, lambda index: -(table.modified(index) or 0.0), stop=stop)
    return by_name[::-1] if arrangement.is_reversed else by_name


def sort_in_runs(indexes: list[int], key: Callable[[int], Any], *, stop: StopSignal = never) -> list[int]:
    """A stable sort that never holds the interpreter's lock for longer than one run takes.

    Pivots from a sample share the entries out into buckets, and each bucket is sorted for itself.

    Raises: OperationStopped between two runs.
    """
    if len(indexes) <= RUN_LENGTH:
        return sorted(indexes, key=key)
    bucket_count = len(indexes) // (RUN_LENGTH // 2)
    step = max(1, len(indexes) // (bucket_count * 8))
    sample = sorted(map(key, indexes[::step]))
    pivots = sample[8::8]
    buckets: list[list[int]] = [[] for _ in range(len(pivots) + 1)]
    for position, index in enumerate(indexes):
        if position % RUN_LENGTH == 0:
            check_stop(stop)
        buckets[bisect_right(pivots, key(index))].append(index)
    ordered: list[int] = []
    for bucket in buckets:
        check_stop(stop)
        bucket.sort(key=key)
        ordered.extend(bucket)
    return ordered
