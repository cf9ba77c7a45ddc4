"""Other names for files whose own name is taken: `table (2).csv`, and never one that the manifest itself lists."""

from __future__ import annotations

import re
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterator

from archive_tui.archives.vault.line_windows import LineSource
from archive_tui.errors import InvalidName
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.fetch_paths import find_fetch_path
from archive_tui.names.numbered_names import number_name
from archive_tui.progress import StopSignal, check_stop, never

MOST_TRIED = 10_000
"""Numbers that are tried before it is given up."""

_NUMBERED = re.compile(r" \(\d+\)")
_STOP_EVERY = 1024


class OtherNames:
    """Of one manifest, which is read once when the first other name is needed. Memory: eight bytes for each line whose
    name has a number in brackets. May be used from several threads."""

    def __init__(self, manifest: LineSource, *, stop: StopSignal = never) -> None:
        self._manifest = manifest
        self._stop = stop
        self._lock = threading.Lock()
        self._listed: array[int] | None = None

    def beside(self, path: str) -> Iterator[str]:
        """Yields `path (2)`, `path (3)`… without those that the manifest lists. Raises: OperationStopped; what reading
        the manifest raises."""
        listed = self._find_listed()
        for number in range(2, MOST_TRIED):
            other = number_name(path, number)
            mark = hash(other)
            place = bisect_left(listed, mark)
            if place == len(listed) or listed[place] != mark:
                yield other

    def _find_listed(self) -> array[int]:
        with self._lock:
            if self._listed is None:
                self._listed = array("q", sorted(self._numbered_paths()))
            return self._listed

    def _numbered_paths(self) -> Iterator[int]:
        for count, line in enumerate(self._manifest.lines()):
            if count % _STOP_EVERY == 0:
                check_stop(self._stop)
            if isinstance(line, ManifestLine) and _NUMBERED.search(line.name):
                try:
                    yield hash(find_fetch_path(line.name))
                except InvalidName:
                    continue
