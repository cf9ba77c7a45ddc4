"""Adds up the results of a copy, in memory that does not grow with them."""

from __future__ import annotations

from collections import Counter

from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count
from archive_tui.operations.copying.marks import ItemResult
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.copying.receipt import FINDINGS_KEPT, GOOD, WRITTEN, CopyOutcome, CopyReceipt


class CopyTally:
    """Takes the results one by one."""

    def __init__(self, plan: CopyPlan) -> None:
        self._plan = plan
        self._counts: Counter[CopyOutcome] = Counter()
        self._inherited = 0
        self._bytes = 0
        self._bytes_same = 0
        self._weakest: EvidenceLevel | None = None
        self._findings: list[Finding] = []
        self._finding_count = 0

    def add(self, result: ItemResult) -> None:
        self._counts[result.outcome] += 1
        self._inherited += result.is_inherited
        if result.outcome in WRITTEN:
            self._bytes += result.size
        elif result.outcome is CopyOutcome.SAME:
            self._bytes_same += result.size
        if result.outcome in GOOD and result.level is not None:
            self._weakest = result.level if self._weakest is None else min(self._weakest, result.level)
        if result.finding is not None:
            self._finding_count += 1
            if len(self._findings) < FINDINGS_KEPT:
                self._findings.append(result.finding)

    def make_receipt(self, seconds: float) -> CopyReceipt:
        counts = self._counts
        return CopyReceipt(
            source=f"{self._plan.source.label} {self._plan.selection.base}".rstrip(),
            target=f"{self._plan.target.label} {self._plan.into}".rstrip(),
            copied=counts[CopyOutcome.COPIED],
            replaced=counts[CopyOutcome.REPLACED],
            renamed=counts[CopyOutcome.RENAMED],
            same=counts[CopyOutcome.SAME],
            kept=counts[CopyOutcome.KEPT],
            undecided=counts[CopyOutcome.UNDECIDED],
            failed=counts[CopyOutcome.FAILED],
            skipped=counts[CopyOutcome.SKIPPED],
            empty_folders=counts[CopyOutcome.EMPTY_FOLDER],
            inherited=self._inherited,
            bytes=self._bytes,
            bytes_same=self._bytes_same,
            weakest=self._weakest.name.lower() if self._weakest is not None else "",
            findings=tuple(self._findings),
            finding_count=self._finding_count,
            notes=tuple(self._notes()),
            seconds=seconds,
        )

    def _notes(self) -> list[str]:
        notes = []
        if empty := self._counts[CopyOutcome.EMPTY_FOLDER]:
            notes.append(f"{format_count(empty, 'empty folder')} not copied: a store holds files only.")
        if self._inherited:
            notes.append(
                f"{format_count(self._inherited, 'object')} proven by an earlier run of this job, "
                "and unchanged on both sides since."
            )
        return notes
