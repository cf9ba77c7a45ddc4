"""Counts what there is to copy while it is copied, so that somebody can say how far it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from archive_tui.errors import ArchiveError
from archive_tui.operations.selected_entries import Selection
from archive_tui.progress import Planned, Report, StopSignal, check_stop

MOST_ASKED = 256
"""Objects named one by one whose sizes are asked for."""

_PATIENCE = 5.0
"""Seconds to wait for the answer to the last question when the copy has ended; it changes nothing."""


@contextmanager
def counted_beside(selection: Selection, phase: str, report: Report, stop: StopSignal) -> Iterator[None]:
    """Counts in a thread of its own during the block, and reports the totals when they are known."""
    end = threading.Event()
    counting = threading.Thread(
        target=_count, args=(selection, phase, report, _Either(stop, end)), name="count", daemon=True
    )
    counting.start()
    try:
        yield
    finally:
        end.set()
        counting.join(_PATIENCE)


class _Either:
    def __init__(self, first: StopSignal, second: StopSignal) -> None:
        self._signals = (first, second)

    def is_set(self) -> bool:
        return any(signal.is_set() for signal in self._signals)


def _count(selection: Selection, phase: str, report: Report, stop: StopSignal) -> None:
    items = total = asked = 0
    is_known = True
    try:
        for entry in selection.entries(stop=stop):
            items += 1
            info = entry.info
            if info is None and not entry.problem and not entry.is_empty_folder and asked < MOST_ASKED:
                asked += 1
                info = selection.store.info(entry.key)
            total += max(0, info.size) if info is not None else 0
            is_known = is_known and (info is None or info.size >= 0) and asked < MOST_ASKED
        check_stop(stop)
    except ArchiveError:
        return  # the copy itself meets the same, and says so
    report(Planned(phase, items, total if is_known else None))
