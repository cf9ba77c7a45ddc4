"""Moves one object: brought to the target, then deleted at the source; what became of it is noted in between."""

from __future__ import annotations

from archive_tui.conflicts import Resolve
from archive_tui.continuation import ItemMark, Journal
from archive_tui.errors import AccessDenied
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.names.protected_keys import find_protection
from archive_tui.operations.copying.continued_file import PartKeeper
from archive_tui.operations.copying.marks import ItemResult
from archive_tui.operations.copying.one_object import ObjectCopier
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.copying.receipt import GOOD, CopyOutcome
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.moving.folders import MOVED
from archive_tui.operations.moving.in_place import ShortWay
from archive_tui.operations.moving.removal import SourceRemoval
from archive_tui.operations.moving.tally import MoveResult
from archive_tui.operations.object_presence import has_object
from archive_tui.operations.selected_entries import NOTHING_THERE, SelectedEntry, whole_key
from archive_tui.progress import StopSignal

_PHASE = "move"


class ObjectMover:
    """Moves the objects of a plan one by one; its method is called from several threads.

    `is_continued`: an earlier run may have moved what is not at the source any more. `may_merge` False: the same
    content that lies at the target is in the way.
    """

    def __init__(
        self,
        plan: CopyPlan,
        resolve: Resolve,
        journal: Journal,
        paced: PacedReport,
        stop: StopSignal,
        parts: PartKeeper | None,
        *,
        is_continued: bool,
        may_merge: bool,
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._is_continued = is_continued
        self._may_merge = may_merge
        may_exist = not may_merge or next(iter(plan.target.list(plan.into)), None) is not None
        self._copier = ObjectCopier(plan, resolve, paced, stop, may_exist=may_exist, parts=parts)
        self._short_way = ShortWay(plan)
        self._removal = SourceRemoval(plan, stop)

    def move(self, entry: SelectedEntry, mark: ItemMark | None) -> MoveResult | None:
        """Returns what became of the entry; None: an earlier run has moved it. `mark` is what that says of it.

        Raises: what ends the whole move, OperationStopped.
        """
        item = self._plan.item(entry.key)
        if self._is_continued and self._is_gone(item, entry):
            return None
        what = find_protection(whole_key(self._plan.source, entry.key))
        if what is not None:  # it was not there when everything was looked through
            finding = Finding(FindingKind.EXTRA, item, detail=f"{what} is never moved this way")
            return self._note(MoveResult(ItemResult(item, CopyOutcome.FAILED), finding=finding))
        brought = None if entry.problem else self._short_way.bring(item, entry)
        is_link = brought is not None and self._short_way.is_rename
        copied = self._copier.copy(entry, mark) if brought is None else brought
        if copied.outcome not in GOOD:
            return self._note(MoveResult(copied, finding=copied.finding))
        if copied.outcome is CopyOutcome.SAME and not self._may_be_ours(mark):
            finding = Finding(FindingKind.CHANGED, item, detail="something of that name lies there already")
            return self._note(MoveResult(copied._replace(outcome=CopyOutcome.KEPT), finding=finding))
        if self._journal.is_kept and not copied.is_inherited and not is_link:
            self._journal.record(_PHASE, (copied.as_mark(),))  # before the source goes, so that a later run knows
        why = self._removal.remove(entry.key, copied, is_link=is_link)
        left = Finding(FindingKind.EXTRA, item, detail=why) if why else None
        return self._note(MoveResult(copied, not why, is_link, left))

    def _may_be_ours(self, mark: ItemMark | None) -> bool:
        """False when the same content at the target is somebody else's: nobody has put it there in an earlier run."""
        return self._may_merge or (self._is_continued and (mark is None or mark.outcome != CopyOutcome.KEPT))

    def _is_gone(self, item: str, entry: SelectedEntry) -> bool:
        """True when nothing is at the source any more, and an earlier run has brought it to the target."""
        if entry.problem == NOTHING_THERE:
            return next(iter(self._plan.target.list(self._plan.target_key(item))), None) is not None
        if entry.problem or entry.info is not None:
            return False
        try:
            is_there = has_object(self._plan.source, entry.key)
        except AccessDenied:
            return False  # the copy meets the same, and says so
        return not is_there and has_object(self._plan.target, self._plan.target_key(item))

    def _note(self, result: MoveResult) -> MoveResult:
        if self._journal.is_kept:
            mark = result.copied.as_mark()
            if result.is_moved:
                mark = mark._replace(outcome=MOVED, stamp="")  # what comes to its old place is another one
            elif result.finding is not None:
                mark = mark._replace(is_good=False, detail=result.finding.detail)
            self._journal.record(_PHASE, (mark,))
        return result
