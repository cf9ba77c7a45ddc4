"""What a fetch has written down about its files, and which of them an earlier run of the same job has done."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from archive_tui.archives.vault.outcomes import GOOD, EarlierResult, LineResult, Outcome
from archive_tui.continuation import ItemMark, Journal
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.folder.contained_write import ContainedFolder

ASKED_AT_ONCE = 512


class MarkedLine(NamedTuple):
    """`item` is the path of the line, or its name where that is refused. `stamp` is that of its file, empty: none."""

    item: str
    result: LineResult
    stamp: str


class FetchMarks:
    """The marks of the phase, those of a stretch of lines at hand. Its files lie below `target`."""

    def __init__(self, journal: Journal, phase: str, target: ContainedFolder) -> None:
        self._journal = journal
        self._phase = phase
        self._target = target
        self._known: Mapping[str, ItemMark] = {}

    def turn_to(self, paths: Sequence[str]) -> None:
        """Looks up the marks of these paths, and forgets the ones before."""
        if not self._journal.has_earlier:
            return
        known: dict[str, ItemMark] = {}
        for start in range(0, len(paths), ASKED_AT_ONCE):
            known.update(self._journal.find(self._phase, paths[start : start + ASKED_AT_ONCE]))
        self._known = known

    def find_done(self, line: ManifestLine, path: str) -> LineResult | None:
        """Returns the result for a line whose file this job has written or found right, when it is still the same file;
        nothing of it is read."""
        mark = self._known.get(path)
        if mark is None or not mark.is_good or not mark.stamp or mark.digest != line.digest:
            return None
        if line.size not in (None, mark.size) or self._target.stamp(mark.detail or path) != mark.stamp:
            return None
        try:
            earlier = EarlierResult(Outcome(mark.outcome), mark.at)
        except ValueError:
            return None  # written by another release
        return LineResult(line, Outcome.ALREADY_THERE, size=mark.size, placed=mark.detail, earlier=earlier)

    def record(self, marked: Iterable[MarkedLine]) -> None:
        """Keeps what became of lines. What an earlier run has done keeps its mark."""
        if self._journal.is_kept:
            now = time.time()
            self._journal.record(
                self._phase, [_make_mark(*each, now) for each in marked if each.result.earlier is None]
            )


def _make_mark(item: str, result: LineResult, stamp: str, now: float) -> ItemMark:
    evidence = result.evidence.level.name.lower() if result.evidence is not None else ""
    if result.outcome not in GOOD:
        detail = result.error.message if result.error is not None else ""
        return ItemMark(item, str(result.outcome), False, "", result.found, result.size, evidence, detail, now)
    # Whatever has the name now was hashed here, or was written here and read back.
    return ItemMark(item, str(result.outcome), True, stamp, result.line.digest, result.size, "read", result.placed, now)
