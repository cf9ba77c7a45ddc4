"""What a check of lines writes down, and what it takes over from an earlier run of the same job.

A file counts as checked only while its stamp (size, times, inode) is the one that it had before and after it was read,
and only for a line that still wants the digest that was found. Everything else is read again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.continuation import ItemMark, Journal
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.objects.folder.file_stamps import stamp_file

if TYPE_CHECKING:
    from archive_tui.operations.line_checking import CheckedLine

READ = "read"
SAME = "same"
NOT_UNDERSTOOD = "not understood"


class LineMarks:
    """The marks of one phase; names are relative to `root`, or absolute, and links are followed."""

    def __init__(self, journal: Journal, phase: str, root: Path) -> None:
        self._journal = journal
        self._phase = phase
        self._root = os.fspath(root.absolute())

    def find_same(self, lines: Sequence[ManifestLine]) -> Mapping[int, ItemMark]:
        """Returns the marks of those lines, by their place, whose files were right and have not changed since."""
        marks = self._journal.find(self._phase, [line.name for line in lines]) if self._journal.has_earlier else {}
        if not marks:
            return {}
        found = {}
        for place, line in enumerate(lines):
            mark = marks.get(line.name)
            if mark is None or not mark.is_good or not mark.stamp or mark.digest != line.digest:
                continue
            if line.size in (None, mark.size) and stamp_file(self._path(line.name)) == mark.stamp:
                found[place] = mark
        return found

    def stamp_all(self, names: Sequence[str]) -> list[str]:
        return [stamp_file(self._path(name)) if name else "" for name in names]

    def record(self, checked: Sequence[CheckedLine | BadLine], stamps: Mapping[int, str]) -> None:
        """Keeps what was found; `stamps` by the place in `checked`, as they were before the files were read."""
        now = time.time()
        self._journal.record(
            self._phase,
            [self._mark(each, stamps[place], now) for place, each in enumerate(checked) if place in stamps],
        )

    def _mark(self, checked: CheckedLine | BadLine, stamp: str, now: float) -> ItemMark:
        if isinstance(checked, BadLine):
            return ItemMark(f"line {checked.number}", NOT_UNDERSTOOD, is_good=False, detail=checked.reason, at=now)
        line, state, found, size, error = checked
        if state == SAME:
            is_still = stamp and stamp_file(self._path(line.name)) == stamp
            return ItemMark(line.name, SAME, True, stamp if is_still else "", found, size, READ, at=now)
        detail = "" if error is None else error.strerror or str(error)
        return ItemMark(line.name, str(state), False, "", found, size, READ if found else "", detail, now)

    def _path(self, name: str) -> str:
        return name if name.startswith("/") else f"{self._root}/{name}"
