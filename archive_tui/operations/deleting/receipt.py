"""What a deletion has removed, and what it has not."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count, format_size

FINDINGS_KEPT = 10_000
"""Findings that a receipt holds; the journal has all of them."""


@dataclass(frozen=True, slots=True)
class DeleteReceipt:
    """`place` is for people. `deleted` objects of `bytes` are not listed any more; `gone_before`: a run before this one
    had begun with so many more. `failed` could not be deleted, `skipped` is no object and stays. `folders` that were
    left empty were removed. `findings` are the first FINDINGS_KEPT of `finding_count`. `seconds` of this run."""

    place: str
    deleted: int = 0
    bytes: int = 0
    gone_before: int = 0
    failed: int = 0
    skipped: int = 0
    folders: int = 0
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a deletion."""
        parts = [f"{format_count(self.deleted, 'object')}, {format_size(self.bytes)}"]
        if self.gone_before:
            parts.append(f"{self.gone_before:,} were gone when this run began")
        if self.failed:
            parts.append(f"{self.failed:,} could not be deleted")
        if self.skipped:
            parts.append(f"{self.skipped:,} are no objects and stay")
        return ("Not everything could be deleted: deleted " if self.finding_count else "Deleted: ") + "; ".join(parts)
