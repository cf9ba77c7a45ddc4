"""Progress of work that many threads share, told some times a second instead of for every file."""

from __future__ import annotations

import threading
import time

from archive_tui.progress import BytesDone, ItemDone, ItemStarted, Report

SECONDS_BETWEEN = 0.05
ITEM_TOLD_FROM = 8 << 20
"""Bytes from which the beginning of a single file is told."""


class PacedReport:
    """Adds up bytes and items of one phase; reports the totals at most every 0.05 s, and all of it at `flush`."""

    def __init__(self, report: Report, phase: str) -> None:
        self._report = report
        self._phase = phase
        self._lock = threading.Lock()
        self._bytes = 0
        self._items = 0
        self._latest = ""
        self._partial: dict[str, int] = {}
        self._told: tuple[int, int] = (0, 0)
        self._told_at = 0.0

    def add(self, size: int, items: int, latest: str) -> None:
        """Counts finished items; `latest` is the last of them."""
        with self._lock:
            self._bytes += size
            self._items += items
            self._latest = latest
        self._tell_if_due()

    def begin_item(self, item: str, size: int) -> None:
        """Tells the beginning of a large item."""
        if size >= ITEM_TOLD_FROM:
            self._report(ItemStarted(self._phase, item, size))

    def set_partial(self, item: str, count: int) -> None:
        """`count` bytes of an item that is not finished are done."""
        with self._lock:
            self._partial[item] = count
        self._tell_if_due()

    def end_partial(self, item: str) -> None:
        """The item counts no longer as unfinished; `add` follows."""
        with self._lock:
            self._partial.pop(item, None)

    def _tell_if_due(self) -> None:
        if time.monotonic() - self._told_at >= SECONDS_BETWEEN:
            self.flush()

    def flush(self) -> None:
        """Reports the totals if they have changed."""
        with self._lock:
            self._told_at = time.monotonic()
            now = (self._bytes + sum(self._partial.values()), self._items)
            before, self._told = self._told, now
            latest = self._latest
        if now[0] != before[0]:
            self._report(BytesDone(self._phase, now[0]))
        if now[1] != before[1]:
            self._report(ItemDone(self._phase, latest, now[1]))
