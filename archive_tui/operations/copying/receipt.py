"""What a copy has made, and what it has not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count, format_size

FINDINGS_KEPT = 10_000
"""Findings that a receipt holds; the journal has all of them."""


class CopyOutcome(StrEnum):
    """What became of one object. `RENAMED`: both are kept, the new one under another name. `SAME`: the very content lay
    there already. `KEPT`: another one lay there and stays. `UNDECIDED`: somebody has to say what is to be done."""

    COPIED = "copied"
    REPLACED = "replaced"
    RENAMED = "renamed"
    SAME = "same"
    KEPT = "kept"
    UNDECIDED = "undecided"
    FAILED = "failed"
    SKIPPED = "skipped"
    EMPTY_FOLDER = "empty folder"


WRITTEN = frozenset({CopyOutcome.COPIED, CopyOutcome.REPLACED, CopyOutcome.RENAMED})
GOOD = WRITTEN | {CopyOutcome.SAME}


@dataclass(frozen=True, slots=True)
class CopyReceipt:
    """`source` and `target` are for people. The counts are those of objects, by CopyOutcome; `inherited` of the good
    ones were proven by an earlier run and have not changed since. `bytes` were written, by this run and earlier ones;
    `bytes_same` lay there already. `weakest` is the name of the least EvidenceLevel among the good ones, in lower case;
    empty: there is none. `findings` are the first FINDINGS_KEPT of `finding_count`. `seconds` of this run."""

    source: str
    target: str
    copied: int = 0
    replaced: int = 0
    renamed: int = 0
    same: int = 0
    kept: int = 0
    undecided: int = 0
    failed: int = 0
    skipped: int = 0
    empty_folders: int = 0
    inherited: int = 0
    bytes: int = 0
    bytes_same: int = 0
    weakest: str = ""
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def good(self) -> int:
        """How many objects lie at the target as they do at the source."""
        return self.copied + self.replaced + self.renamed + self.same

    @property
    def is_proven(self) -> bool:
        """False when something was sent and nothing compared."""
        return not self.weakest or EvidenceLevel[self.weakest.upper()] > EvidenceLevel.COPIED

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a copy."""
        written = self.copied + self.replaced + self.renamed
        parts = [f"{format_count(written, 'object')} copied, {format_size(self.bytes)}"]
        counts = (
            (self.replaced, "of them replaced another one"),
            (self.renamed, "of them got another name"),
            (self.same, "lay there already"),
            (self.kept, "not copied, as another one lies there"),
            (self.undecided, "to be decided"),
            (self.failed, "failed"),
            (self.skipped, "skipped"),
        )
        parts += [f"{count:,} {words}" for count, words in counts if count]
        return f"{self._verdict}: {'; '.join(parts)}"

    @property
    def _verdict(self) -> str:
        if self.finding_count or self.undecided:
            return "Not everything was copied"
        return "Verified" if self.is_proven else "Copied, not verified"
