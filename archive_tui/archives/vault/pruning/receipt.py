"""What a prune has marked and deleted."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count, format_size

FINDINGS_KEPT = 10_000
"""Findings that a receipt holds; the journal has all of them."""


@dataclass(frozen=True, slots=True)
class PruneReceipt:
    """`place` is for people. `marked` by this run, `waiting` all that are marked and stay; `unmarked` are referred to
    or gone by now. `deleted` contents of `bytes`; `gone_before`: a run before this one had begun with so many more.
    `spared` were to be deleted, and somebody has archived or listed them meanwhile. `failed` could not be deleted.
    `findings` are the first FINDINGS_KEPT of `finding_count`. `seconds` of this run."""

    place: str
    marked: int = 0
    waiting: int = 0
    unmarked: int = 0
    deleted: int = 0
    bytes: int = 0
    gone_before: int = 0
    spared: int = 0
    failed: int = 0
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a prune."""
        parts = [f"{format_count(self.deleted, 'content')}, {format_size(self.bytes)}"]
        if self.gone_before:
            parts.append(f"{self.gone_before:,} were gone when this run began")
        if self.spared:
            parts.append(f"{self.spared:,} are in use again and stay")
        if self.failed:
            parts.append(f"{self.failed:,} could not be deleted")
        parts.append(f"{self.marked:,} newly marked, {self.waiting:,} wait")
        begins = "Not everything could be deleted: deleted " if self.failed else "Deleted: "
        return begins + "; ".join(parts)
