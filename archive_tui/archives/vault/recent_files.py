"""Files that this run has just written, by their digest: from them further names of a content are made.

A list often has one content under many names (empty files, copies), and to fetch it for each costs time and, at many
providers, money. Only the last ones are remembered, so that memory does not grow with the list; what is forgotten is
fetched again. A copy is hashed like everything else before it takes its name.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from archive_tui.integrity.evidence import Evidence

MOST_REMEMBERED = 4096


class RecentFile(NamedTuple):
    """`path` below the folder of the run; `evidence` is about the object in the vault that it was read from."""

    path: str
    evidence: Evidence


class RecentFiles:
    """May be used from several threads at once."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, RecentFile] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, digest: str, file: RecentFile) -> None:
        with self._lock:
            self._files[digest] = file
            self._files.move_to_end(digest)
            if len(self._files) > MOST_REMEMBERED:
                self._files.popitem(last=False)

    def find(self, digest: str) -> RecentFile | None:
        with self._lock:
            return self._files.get(digest)

    def forget(self, digest: str) -> None:
        with self._lock:
            self._files.pop(digest, None)
