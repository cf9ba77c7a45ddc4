"""Keeps contents that are being archived from being pruned: their marks are taken away before anybody looks at them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence

from archive_tui.archives.vault.line_windows import LineWork
from archive_tui.archives.vault.outcomes import LineResult
from archive_tui.archives.vault.pruning.mark_book import MarkBook
from archive_tui.archives.vault.pruning.mark_document import PruneMarks
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import StorageError
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.progress import StopSignal, check_stop, never

WAIT_SECONDS = 30.0
"""For contents that are being deleted at this moment."""

LOOK_EVERY = 0.25


class MarkGuard:
    """Once `protect` has returned, these contents are not deleted before a whole grace time has gone by, and then only
    if no manifest refers to them. To be made before the vault is listed. One request where nobody prunes."""

    def __init__(self, vault: Vault, *, stop: StopSignal = never, wait_seconds: float | None = None) -> None:
        """Raises: ManifestError (prune-marks) for marks that cannot be used; what the store raises."""
        self._book = MarkBook(vault)
        self._title = vault.title
        self._stop = stop
        self._wait_seconds = WAIT_SECONDS if wait_seconds is None else wait_seconds
        self._lock = threading.Lock()
        self._version = self._book.find_version()
        self.is_calm = self._version is None or self._load() == PruneMarks()
        """True as long as nothing was deleted since this was made: a listing may be believed."""

    def protect(self, digests: Collection[str]) -> None:
        """Raises: StorageError (prune-under-way) when they are being deleted and that does not end; OperationStopped;
        what the store raises."""
        with self._lock:
            version = self._book.find_version()
            if version is None and self._version is None:
                return
            self.is_calm = self.is_calm and version == self._version
            self._version = version
            if version is not None and not self.is_calm:
                self._unmark(frozenset(digests))

    def _unmark(self, digests: frozenset[str]) -> None:
        end = time.monotonic() + self._wait_seconds
        while True:
            found = self._book.change(lambda marks: marks.without((digests & marks.marked) - marks.claimed))
            claimed = digests & found.marks.claimed
            if not claimed:
                return
            if time.monotonic() > end:
                raise _under_way(len(claimed), self._title)
            check_stop(self._stop)
            time.sleep(LOOK_EVERY)

    def _load(self) -> PruneMarks:
        return self._book.load().marks


class GuardedWork:
    """Work on lines whose contents are protected, a window at a time, before it looks at any of them."""

    def __init__(self, work: LineWork, guard: MarkGuard, disown_listing: Callable[[], None]) -> None:
        self._work = work
        self._guard = guard
        self._disown_listing = disown_listing

    def group_of(self, line: ManifestLine) -> str:
        return self._work.group_of(line)

    def begin_window(self, lines: Sequence[ManifestLine]) -> None:
        self._guard.protect({line.digest for line in lines})
        if not self._guard.is_calm:
            self._disown_listing()
        self._work.begin_window(lines)

    def work(self, lines: Sequence[ManifestLine]) -> Sequence[LineResult]:
        return self._work.work(lines)

    def end_window(self) -> None:
        self._work.end_window()


def _under_way(count: int, title: str) -> StorageError:
    return StorageError(
        f"Contents of this manifest are being deleted from the vault {title}: {count:,}",
        hint="A prune has begun to delete them. When it has ended, run the same again, which archives them anew. Was "
        "it killed? Then resume its job, or prune again with this manifest.",
        code="prune-under-way",
    )
