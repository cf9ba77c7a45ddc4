"""Deletes what was counted in such a way that it can be had back: by the trash, or by the versions of a store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import ConfigurationError, ObjectNotFound, StorageError
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.folder.trash import move_to_trash
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.deleting.deleting import PHASE, begin_deletion, delete_objects
from archive_tui.operations.deleting.plan import DeletePlan, plan_delete
from archive_tui.operations.deleting.receipt import DeleteReceipt
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.object_failures import ends_run
from archive_tui.operations.selected_entries import innermost
from archive_tui.operations.trash import Trash, find_trash
from archive_tui.progress import Ended, ItemFailed, Planned, Report, StopSignal, check_stop, ignore, never


def trash_objects(
    store: ObjectStore,
    names: Sequence[str],
    *,
    base: str = "",
    confirmed: int | None = None,
    journal: Journal = no_journal,
    report: Report = ignore,
    stop: StopSignal = never,
) -> DeleteReceipt:
    """Deletes as `delete_objects` does, with its guarantees, but so that it can be had back: in a folder of this
    machine each name goes into the trash as a whole, in a store the deleted objects remain as earlier versions.

    Raises: ConfigurationError (no-trash) for a store without versions, of which nothing is deleted then; StorageError
    (trash-unavailable); what `delete_objects` raises.
    """
    folder = innermost(store)
    if not isinstance(folder, FolderStore):
        if find_trash(store) is Trash.NONE:
            raise ConfigurationError(
                f"There is no trash, and no versions are kept in {store.label}.",
                hint="Nothing was deleted. Delete without the trash if it may be gone for good.",
                code="no-trash",
            )
        return delete_objects(store, names, base=base, confirmed=confirmed, journal=journal, report=report, stop=stop)
    started = time.monotonic()
    plan, counted = begin_deletion(store, names, base, confirmed, journal, report, stop)
    report(Planned(PHASE, plan.objects, plan.bytes))
    is_finished = False
    run = _Trashing(folder, base, is_continued=counted is not None)
    paced = PacedReport(report, PHASE)
    try:
        for name in _expand(folder, base, names):
            check_stop(stop)
            run.trash(name, journal, paced, report)
        is_finished = True
    finally:
        paced.flush()
        report(Ended(PHASE, is_finished))
    gone_before = max(0, counted - plan.objects) if counted is not None else 0
    return run.make_receipt(store, gone_before, time.monotonic() - started)


class _Trashing:
    def __init__(self, folder: FolderStore, base: str, *, is_continued: bool) -> None:
        self._folder = folder
        self._base = base
        self._is_continued = is_continued
        self._objects = self._bytes = self._failed = 0
        self._findings: list[Finding] = []

    def trash(self, name: str, journal: Journal, paced: PacedReport, report: Report) -> None:
        counted = plan_delete(self._folder, [name], base=self._base)
        detail = self._try(name, counted)
        if detail is None:
            self._objects += counted.objects
            self._bytes += counted.bytes
            paced.add(counted.bytes, counted.objects, name)
        elif detail:
            self._failed += counted.objects
            self._findings.append(Finding(FindingKind.EXTRA, name, detail=detail))
            report(ItemFailed(PHASE, name, len(self._findings), detail))
        outcome = "failed" if detail else "trashed"
        journal.record(PHASE, (ItemMark(name, outcome, not detail, size=counted.bytes, detail=detail or ""),))

    def _try(self, name: str, counted: DeletePlan) -> str | None:
        """Returns why it stays; None: it lies in the trash; empty: nothing was there.

        Raises: what would befall every other name as well.
        """
        if counted.protected_count:  # it was not there when everything was looked through
            return f"{counted.protected[0][1]} is never deleted this way"
        try:
            move_to_trash(self._folder, self._base + name.rstrip("/"))
        except ObjectNotFound:
            return "" if self._is_continued else "nothing lies there"
        except StorageError as error:
            if ends_run(error, None) or (error.code == "trash-unavailable" and not self._objects):
                raise
            return str(error)
        return None

    def make_receipt(self, store: ObjectStore, gone_before: int, seconds: float) -> DeleteReceipt:
        return DeleteReceipt(
            f"{store.label} {self._base}".rstrip(),
            self._objects,
            self._bytes,
            gone_before,
            self._failed,
            findings=tuple(self._findings),
            finding_count=len(self._findings),
            seconds=seconds,
            in_trash=True,
        )


def _expand(folder: FolderStore, base: str, names: Sequence[str]) -> Iterator[str]:
    """The empty name means all that lies in the folder, which stays itself."""
    for name in names:
        if name:
            yield name
            continue
        path = folder.local_path(base.rstrip("/")) if base else folder.root
        for each in sorted(path.iterdir()) if path.is_dir() else ():
            if not is_temporary_name(each.name):
                yield f"{each.name}/" if each.is_dir() and not each.is_symlink() else each.name
