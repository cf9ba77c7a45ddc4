"""What has another name now, and what has not."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count, format_size


@dataclass(frozen=True, slots=True)
class RenameReceipt:
    """`place` is for people. `renamed` of the names that were asked for are the new ones now, with all that lies below
    them: `objects` of `bytes`, by this run. `findings` are the first FINDINGS_KEPT of `finding_count`. `seconds` of
    this run."""

    place: str
    renamed: int = 0
    asked: int = 0
    objects: int = 0
    bytes: int = 0
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a renaming."""
        amount = f"{format_count(self.objects, 'object')}, {format_size(self.bytes)}"
        if self.finding_count or self.renamed < self.asked:
            return f"Not everything was renamed: {self.renamed:,} of {format_count(self.asked, 'name')}; {amount}"
        return f"Renamed: {format_count(self.renamed, 'name')}; {amount}"
