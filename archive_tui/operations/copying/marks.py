"""What became of one object of a copy, and the mark by which a later run knows it again."""

from __future__ import annotations

from typing import NamedTuple

from archive_tui.continuation import ItemMark
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding
from archive_tui.operations.copying.receipt import GOOD, CopyOutcome

_SEPARATOR = "\n"
"""No version and no key that a store takes holds one."""


class ItemResult(NamedTuple):
    """`key` is where the object lies at the target; `finding` says what is wrong with what is not GOOD. `sizes` in
    bytes. `is_inherited`: an earlier run has done it, and neither side has changed since."""

    item: str
    outcome: CopyOutcome
    key: str = ""
    size: int = 0
    digest: str | None = None
    level: EvidenceLevel | None = None
    stamp: str = ""
    detail: str = ""
    finding: Finding | None = None
    evidence: Evidence | None = None
    is_inherited: bool = False

    def as_mark(self) -> ItemMark:
        return ItemMark(
            self.item,
            str(self.outcome),
            self.outcome in GOOD or self.outcome is CopyOutcome.EMPTY_FOLDER,
            self.stamp,
            self.digest,
            self.size,
            self.level.name.lower() if self.level is not None else "",
            self.detail or (self.finding.detail if self.finding is not None else ""),
        )


class CopyStamp(NamedTuple):
    """Both sides of an object at the moment when they were compared, or proven equal. `key` is that of the target."""

    source_version: str
    key: str
    target_version: str

    def __str__(self) -> str:
        return _SEPARATOR.join(self)


def make_stamp(source_version: str | None, key: str, target_version: str | None) -> str:
    """Empty when one of the stores has no versions: then the next run has to look again."""
    if not source_version or not target_version:
        return ""
    return str(CopyStamp(source_version, key, target_version))


def read_stamp(mark: ItemMark | None) -> CopyStamp | None:
    """None for a mark without a stamp of this form."""
    parts = mark.stamp.split(_SEPARATOR) if mark is not None else []
    return CopyStamp(*parts) if len(parts) == 3 else None


def inherit(mark: ItemMark, key: str) -> ItemResult:
    """The result that an earlier run has written down."""
    level = EvidenceLevel[mark.evidence.upper()] if mark.evidence else None
    return ItemResult(
        mark.item, CopyOutcome(mark.outcome), key, mark.size or 0, mark.digest, level, mark.stamp, is_inherited=True
    )
