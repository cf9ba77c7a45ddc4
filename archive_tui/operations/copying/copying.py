"""Copying many objects, several at once, so that a later run goes on where this one ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice

from archive_tui.conflicts import Resolve, keep_what_is_there
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.integrity.evidence import Evidence
from archive_tui.operations.copying.continued_file import PartKeeper
from archive_tui.operations.copying.counting import counted_beside
from archive_tui.operations.copying.marks import ItemResult
from archive_tui.operations.copying.one_object import ObjectCopier
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.copying.receipt import CopyReceipt
from archive_tui.operations.copying.tally import CopyTally
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.operations.selected_entries import SelectedEntry
from archive_tui.progress import Ended, ItemFailed, Planned, Report, StopSignal, check_stop, ignore, never

PHASE = "copy"

COPY_THREADS = 16
"""They wait most of the time: for a server, or for the disk to say that a file is durable."""

_BATCH = 512
"""Entries whose marks are looked up at once."""

Work = tuple[SelectedEntry, ItemMark | None]


def copy_objects(
    plan: CopyPlan,
    *,
    journal: Journal = no_journal,
    resolve: Resolve = keep_what_is_there,
    report: Report = ignore,
    stop: StopSignal = never,
    threads: int = COPY_THREADS,
    note_evidence: Callable[[Evidence], None] | None = None,
    parts: PartKeeper | None = None,
) -> CopyReceipt:
    """Copies every object of the plan; folders of this machine and storages are the same to it.

    Each object is hashed as it passes, checked against the digest that the source has beside it, if it has one, and
    proven at the target by the put of its store. What lies there already is left alone: with the same digest, attested
    by the store or read, it is `same`; else `resolve` says what is done. Nothing is replaced but that very version
    which was looked at, published versions and contents of a vault never are, and to an address in a vault only the
    content of that address is copied. An object that changes while it is read is begun anew; what keeps changing is a
    finding, and nothing of it becomes visible.

    What is no object (links, devices, folders that cannot be read), is refused by a name rule, or would be written
    among what is copied, is a finding; the others are done all the same. Empty folders are counted in a note.

    A run with the same `journal` inherits what an earlier one has proven where both sides still have the versions that
    they had then; all else is looked at again. With `parts`, large objects that come from a server into a person's own
    folder are gone on with where they ended, if the server has their digest beside them. Memory does not grow with the
    number or the size of the objects.

    Raises: StorageUnavailable, StorageFull, AccessDenied of the whole target, ConfigurationError; OperationStopped.
    """
    started = time.monotonic()
    paced = PacedReport(report, PHASE)
    tally = CopyTally(plan)
    report(Planned(PHASE))
    is_finished = False
    try:
        may_exist = next(iter(plan.target.list(plan.into)), None) is not None
        copier = ObjectCopier(plan, resolve, paced, stop, may_exist=may_exist, parts=parts)

        def copy(work: Work) -> ItemResult:
            check_stop(stop)  # it may have waited for its turn
            result = copier.copy(*work)
            if journal.is_kept and not result.is_inherited:
                journal.record(PHASE, (result.as_mark(),))
            return result

        entries = _with_marks(plan, journal, stop)
        with (
            counted_beside(plan.selection, PHASE, report, stop),
            closing(map_in_order(copy, entries, threads=threads, stop=stop)) as results,
        ):
            for number, result in enumerate(results, 1):
                tally.add(result)
                _tell(result, number, paced, report)
                if note_evidence is not None and result.evidence is not None:
                    note_evidence(result.evidence)
        is_finished = True
    finally:
        paced.flush()
        report(Ended(PHASE, is_finished))
    return tally.make_receipt(time.monotonic() - started)


def _with_marks(plan: CopyPlan, journal: Journal, stop: StopSignal) -> Iterator[Work]:
    entries = plan.selection.entries(stop=stop)
    while batch := list(islice(entries, _BATCH if journal.is_kept else 1)):
        names = [plan.item(entry.key) for entry in batch]
        marks = journal.find(PHASE, names) if journal.has_earlier else {}
        yield from ((entry, marks.get(name)) for entry, name in zip(batch, names, strict=True))


def _tell(result: ItemResult, number: int, paced: PacedReport, report: Report) -> None:
    paced.add(result.size if result.is_inherited else 0, 1, result.item)
    if result.finding is not None:
        report(ItemFailed(PHASE, result.item, number, result.finding.detail))
