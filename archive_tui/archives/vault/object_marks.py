"""What a run over the objects of a vault has written down, and what a later run of the same job builds on.

A mark holds what was proven of an object and of which version. It counts only while that version lies there: then it is
evidence like any other, and a content that this job has read whole is not read again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from archive_tui.archives.vault.outcomes import GOOD, EarlierResult, LineResult, Outcome
from archive_tui.continuation import ItemMark, Journal
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine

READ = "Read in full and hashed here."
EARLIER = "Found out by an earlier run of the same job."

_LEVELS = {level.name.lower(): level for level in EvidenceLevel if level is not EvidenceLevel.DAMAGED}
_READ = (EvidenceLevel.READ, EvidenceLevel.RESTORED)


class ObjectMarks:
    """The marks of a phase, those of a window of lines at hand, about objects of the store with this identity. Methods
    but `turn_to` may be called from any thread."""

    def __init__(self, journal: Journal, phase: str, store_identity: str) -> None:
        self._journal = journal
        self._phase = phase
        self._store = store_identity
        self._marks: Mapping[str, ItemMark] = {}
        self.evidence: Mapping[str, Evidence] = {}
        """What marks say of objects, by their keys."""

    def turn_to(self, lines: Sequence[ManifestLine]) -> None:
        """Looks up the marks of these lines, and forgets the ones before."""
        if not self._journal.has_earlier:
            return
        self._marks = self._journal.find(self._phase, [line.name for line in lines])
        found = (self._evidence_of(line) for line in lines) if self._marks else ()
        self.evidence = {each.key: each for each in found if each is not None}

    def find_read(self, key: str) -> Evidence | None:
        """Returns the evidence of an object that this job has read whole and found right."""
        evidence = self.evidence.get(key)
        return evidence if evidence is not None and evidence.level in _READ else None

    def find_earlier(self, line: ManifestLine, outcome: Outcome) -> EarlierResult | None:
        """Returns when this job has done that with the line."""
        mark = self._find_good(line) if self._marks else None
        return EarlierResult(outcome, mark.at) if mark is not None and mark.outcome == outcome else None

    def record(self, results: Iterable[LineResult]) -> None:
        """Keeps what became of lines. What an earlier run has done keeps its mark."""
        if self._journal.is_kept:
            self._journal.record(self._phase, [_make_mark(each) for each in results if each.earlier is None])

    def _find_good(self, line: ManifestLine) -> ItemMark | None:
        mark = self._marks.get(line.name)
        return mark if mark is not None and mark.is_good and mark.digest == line.digest else None

    def _evidence_of(self, line: ManifestLine) -> Evidence | None:
        mark = self._find_good(line)
        level = _LEVELS.get(mark.evidence) if mark is not None else None
        if mark is None or level is None or not mark.stamp or not mark.detail.startswith(f"{self._store}/"):
            return None
        size, _, version = mark.stamp.partition(" ")
        method = READ if level is EvidenceLevel.READ else EARLIER
        key = mark.detail[len(self._store) + 1 :]
        return Evidence(self._store, key, level, mark.digest, int(size), mark.at, method, version)


def _make_mark(result: LineResult) -> ItemMark:
    line, evidence, now = result.line, result.evidence, time.time()
    level = evidence.level.name.lower() if evidence is not None else ""
    if result.outcome not in GOOD:
        detail = result.error.message if result.error is not None else ""
        return ItemMark(line.name, str(result.outcome), False, "", result.found, result.size, level, detail, now)
    if evidence is None:
        return ItemMark(line.name, str(result.outcome), True, "", line.digest, result.size, at=now)
    stamp = f"{evidence.size} {evidence.version}" if evidence.version is not None else ""
    at = evidence.checked_at if evidence.level is not EvidenceLevel.UNCHANGED else now
    place = f"{evidence.store}/{evidence.key}"
    return ItemMark(line.name, str(result.outcome), True, stamp, line.digest, result.size, level, place, at)
