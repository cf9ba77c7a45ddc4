"""Adds up what became of the objects of a move, in memory that does not grow with them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count
from archive_tui.operations.copying.marks import ItemResult
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.copying.receipt import FINDINGS_KEPT, GOOD, CopyOutcome
from archive_tui.operations.moving.receipt import MoveReceipt


class MoveResult(NamedTuple):
    """`copied` is what became of it at the target; `is_moved`: it is gone at the source. `finding` says why not.
    `is_link`: it was given its new name within its file system."""

    copied: ItemResult
    is_moved: bool = False
    is_link: bool = False
    finding: Finding | None = None


class MoveTally:
    """Takes the results one by one."""

    def __init__(self, plan: CopyPlan) -> None:
        self._plan = plan
        self._counts: Counter[CopyOutcome] = Counter()
        self._unmoved: Counter[CopyOutcome] = Counter()
        self.count = 0
        self._moved = self._in_place = self._left = self._bytes = 0
        self._weakest: EvidenceLevel | None = None
        self._findings: list[Finding] = []
        self._finding_count = 0

    def add(self, result: MoveResult) -> None:
        self.count += 1
        copied = result.copied
        if result.is_moved:
            self._counts[copied.outcome] += 1
            self._moved += 1
            self._in_place += result.is_link
            self._bytes += max(0, copied.size)
            level = copied.level
            if level is not None:
                self._weakest = level if self._weakest is None else min(self._weakest, level)
        elif copied.outcome in GOOD:
            self._left += 1
        else:
            self._unmoved[copied.outcome] += 1
        if result.finding is not None:
            self._finding_count += 1
            if len(self._findings) < FINDINGS_KEPT:
                self._findings.append(result.finding)

    def add_folder(self, objects: int, size: int) -> None:
        """A whole folder was given its new name."""
        self._moved += objects
        self._in_place += objects
        self._bytes += size

    def make_receipt(self, *, moved_before: int, folders: int, empty_folders: int, seconds: float) -> MoveReceipt:
        plan, unmoved = self._plan, self._unmoved
        return MoveReceipt(
            source=f"{plan.source.label} {plan.selection.base}".rstrip(),
            target=f"{plan.target.label} {plan.into}".rstrip(),
            moved=self._moved,
            bytes=self._bytes,
            renamed=self._counts[CopyOutcome.RENAMED],
            replaced=self._counts[CopyOutcome.REPLACED],
            same=self._counts[CopyOutcome.SAME],
            in_place=self._in_place,
            moved_before=moved_before,
            kept=unmoved[CopyOutcome.KEPT],
            undecided=unmoved[CopyOutcome.UNDECIDED],
            failed=unmoved[CopyOutcome.FAILED],
            left=self._left,
            skipped=unmoved[CopyOutcome.SKIPPED],
            folders=folders,
            empty_folders=empty_folders,
            weakest=self._weakest.name.lower() if self._weakest is not None else "",
            findings=tuple(self._findings),
            finding_count=self._finding_count,
            notes=tuple(self._notes(empty_folders)),
            seconds=seconds,
        )

    def _notes(self, empty_folders: int) -> list[str]:
        notes = []
        if self._in_place:
            notes.append(
                f"{format_count(self._in_place, 'object')} moved within the file system: "
                "the same files under new names, not read."
            )
        if empty_folders:
            notes.append(f"{format_count(empty_folders, 'empty folder')} left at the source: a store holds files only.")
        return notes
