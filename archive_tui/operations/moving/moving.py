"""Moves many objects, several at once: each is copied and proven, and only then deleted at the source."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice

from archive_tui.conflicts import Resolve, keep_what_is_there
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.integrity.evidence import Evidence
from archive_tui.operations.copying.continued_file import PartKeeper
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.deleting.plan import check_deletable, plan_delete
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.marked_places import refuse_in_marked_places
from archive_tui.operations.moving.folders import EmptyFolders, rename_whole_folders
from archive_tui.operations.moving.one_object import ObjectMover
from archive_tui.operations.moving.receipt import MoveReceipt
from archive_tui.operations.moving.tally import MoveResult, MoveTally
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.operations.selected_entries import SelectedEntry
from archive_tui.progress import Ended, ItemFailed, Planned, Report, StopSignal, check_stop, ignore, never

PHASE = "move"

MOVE_THREADS = 16

_BATCH = 512
"""Entries whose marks are looked up at once."""

_STARTED = "move"

Work = tuple[SelectedEntry, ItemMark | None]


def move_objects(
    plan: CopyPlan,
    *,
    journal: Journal = no_journal,
    resolve: Resolve = keep_what_is_there,
    report: Report = ignore,
    stop: StopSignal = never,
    threads: int = MOVE_THREADS,
    note_evidence: Callable[[Evidence], None] | None = None,
    parts: PartKeeper | None = None,
    may_merge: bool = True,
) -> MoveReceipt:
    """Moves every object of the plan; folders of this machine and storages are the same to it.

    All of it is listed first: when anything is protected, nothing is moved. Then each object is copied as
    `copy_objects` does it, with the same answers to conflicts. It is deleted at the source when the target is proven to
    hold its content, by the digest of the store or by reading it back, when it is not the same object by another way,
    and when it still is at the source what was copied: where the source knows no digest, it is read a second time for
    that. Otherwise it stays, as a finding. Between two folders of one
    file system files and whole folders get their new place by a link or a rename, which never takes that of another.
    A folder that is emptied is removed; links and devices stay, as findings, but for those in a folder that is renamed.

    At every moment each object lies whole at the source, at the target, or at both. A run with the same `journal` goes
    on with what is left. Moves the other way on this machine wait for each other's deletions; what else happens between
    the last looks at both sides and the deletion at the source cannot be seen. `may_merge` False: the same content that
    lies at the target already is in the way like any other. Memory does not grow with the number or size of objects.

    Raises: StorageError (delete-protected); StorageUnavailable, StorageFull, AccessDenied of a whole place,
    ConfigurationError, what listing raises; OperationStopped.
    """
    started = time.monotonic()
    counted, is_continued = _count(plan, journal, report, stop)
    tally, paced = MoveTally(plan), PacedReport(report, PHASE)
    report(Planned(PHASE, *counted.amounts))
    is_finished = False
    try:
        plan = rename_whole_folders(plan, tally, journal, paced, PHASE, stop)
        empty = EmptyFolders(plan)
        if plan.selection.names:
            mover = ObjectMover(
                plan, resolve, journal, paced, stop, parts,
                is_continued=is_continued, may_merge=may_merge,
            )  # fmt: skip
            for result in _move_all(mover, plan, journal, empty, stop, threads):
                tally.add(result)
                _tell(result, tally.count, paced, report)
                evidence = result.copied.evidence
                if note_evidence is not None and evidence is not None:
                    note_evidence(evidence)
        is_finished = True
    finally:
        paced.flush()
        report(Ended(PHASE, is_finished))
    return tally.make_receipt(
        moved_before=counted.gone,
        folders=empty.remove_emptied(),
        empty_folders=empty.count,
        seconds=time.monotonic() - started,
    )


class _Counted:
    """`gone`: so many more there were when the first run of this journal began."""

    def __init__(self, objects: int, size: int | None, first: int | None) -> None:
        self.amounts = (objects, size)
        self.gone = max(0, first - objects) if first is not None else 0


def _count(plan: CopyPlan, journal: Journal, report: Report, stop: StopSignal) -> tuple[_Counted, bool]:
    """Raises: StorageError (delete-protected)."""
    base, names = plan.selection.base, plan.selection.names
    refuse_in_marked_places(plan.source, base, names, "moved")
    counted = plan_delete(plan.source, names, base=base, report=report, stop=stop)
    check_deletable(counted, plan.source, "moved")
    first = _load_count(journal)
    if first is None:
        journal.save(_STARTED, json.dumps({"objects": counted.objects}).encode(), durable=True)
    size = None if counted.unknown_sizes else counted.bytes
    return _Counted(counted.objects, size, first), first is not None


def _load_count(journal: Journal) -> int | None:
    saved = journal.load(_STARTED)
    try:
        return int(json.loads(saved)["objects"]) if saved is not None else None
    except (ValueError, KeyError, TypeError):
        return None


def _move_all(
    mover: ObjectMover, plan: CopyPlan, journal: Journal, empty: EmptyFolders, stop: StopSignal, threads: int
) -> Iterator[MoveResult]:
    def move(work: Work) -> MoveResult | None:
        check_stop(stop)  # it may have waited for its turn
        entry, mark = work
        if entry.is_empty_folder:
            empty.add(entry.key)
            return None
        return mover.move(entry, mark)

    with closing(map_in_order(move, _with_marks(plan, journal, stop), threads=threads, stop=stop)) as results:
        yield from (result for result in results if result is not None)


def _with_marks(plan: CopyPlan, journal: Journal, stop: StopSignal) -> Iterator[Work]:
    entries = plan.selection.entries(stop=stop)
    while batch := list(islice(entries, _BATCH if journal.is_kept else 1)):
        names = [plan.item(entry.key) for entry in batch]
        marks = journal.find(PHASE, names) if journal.has_earlier else {}
        yield from ((entry, marks.get(name)) for entry, name in zip(batch, names, strict=True))


def _tell(result: MoveResult, number: int, paced: PacedReport, report: Report) -> None:
    is_unread = result.copied.is_inherited or result.is_link
    paced.add(result.copied.size if is_unread else 0, 1, result.copied.item)
    if result.finding is not None:
        report(ItemFailed(PHASE, result.copied.item, number, result.finding.detail))
