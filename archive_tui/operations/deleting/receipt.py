"""What a deletion has removed, and what it has not."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count, format_size

VERSIONS_REMAIN = "The store keeps what was deleted as earlier versions: its own tools bring them back."

FINDINGS_KEPT = 10_000
"""Findings that a receipt holds; the journal has all of them."""


@dataclass(frozen=True, slots=True)
class DeleteReceipt:
    """`place` is for people. `deleted` objects of `bytes` are not listed any more; `gone_before`: a run before this one
    had begun with so many more. `failed` could not be deleted, `skipped` is no object and stays. `folders` that were
    left empty were removed. `findings` are the first FINDINGS_KEPT of `finding_count`. `seconds` of this run.
    `in_trash`: what was deleted lies in the trash of this machine."""

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
    notes: tuple[str, ...] = ()
    in_trash: bool = False

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
        done = "moved to the trash" if self.in_trash else "deleted"
        begins = f"Not everything could be deleted: {done} " if self.finding_count else f"{done.capitalize()}: "
        return begins + "; ".join(parts)
