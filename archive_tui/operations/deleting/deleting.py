"""Deletes what was counted, several objects at once, so that a later run goes on with what is left."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import AccessDenied, ArchiveError, StorageError
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.names.protected_keys import find_protection
from archive_tui.objects.folder.empty_folders import remove_empty_folders
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore, Support
from archive_tui.operations.deleting.plan import DeletePlan, ask_size, check_deletable, plan_delete
from archive_tui.operations.deleting.receipt import FINDINGS_KEPT, VERSIONS_REMAIN, DeleteReceipt
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.marked_places import refuse_in_marked_places
from archive_tui.operations.object_failures import ends_run
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.operations.selected_entries import (
    LINK,
    NOTHING_THERE,
    SelectedEntry,
    Selection,
    innermost,
    whole_key,
)
from archive_tui.progress import Ended, ItemFailed, Planned, Report, StopSignal, check_stop, ignore, never

PHASE = "delete"

DELETE_THREADS = 16

ROUNDS = 3
"""How often it is looked for what is left: while a folder is emptied, its listing may miss an entry."""

MOST_DENIALS = 100
"""Refusals after which nobody believes that any object may be deleted, when none was."""

_STARTED = "delete"


def delete_objects(
    store: ObjectStore,
    names: Sequence[str],
    *,
    base: str = "",
    confirmed: int | None = None,
    journal: Journal = no_journal,
    report: Report = ignore,
    stop: StopSignal = never,
    threads: int = DELETE_THREADS,
) -> DeleteReceipt:
    """Deletes what the names below `base` mean, and in a folder of this machine the folders that are left empty.

    All of it is listed first: when anything is protected (`names.protected_keys`, `operations.marked_places`), or there
    is more than the `confirmed` number of objects, nothing is deleted. Never more are deleted than were counted. What
    is deleted is sought once more afterwards. A link is deleted itself, never what it leads to; devices and the
    like stay, as findings.

    A run with the same `journal` goes on with what is left. Memory does not grow with the number of objects.

    Raises: StorageError (delete-protected, delete-changed); StorageUnavailable, AccessDenied of a whole server, what
    listing raises; OperationStopped.
    """
    started = time.monotonic()
    plan, counted = begin_deletion(store, names, base, confirmed, journal, report, stop)
    deletion = _Deletion(store, base, plan.objects, is_continued=counted is not None)
    paced = PacedReport(report, PHASE)
    report(Planned(PHASE, plan.objects, None if plan.unknown_sizes else plan.bytes))
    is_finished = False
    try:
        for _ in range(ROUNDS):
            if not deletion.run_round(Selection(store, base, names), journal, paced, report, stop, threads):
                break
        is_finished = True
    finally:
        paced.flush()
        report(Ended(PHASE, is_finished))
    gone_before = max(0, counted - plan.objects) if counted is not None else 0
    folders = _remove_folders(store, base, names)
    return deletion.make_receipt(gone_before, folders, time.monotonic() - started)


def begin_deletion(
    store: ObjectStore,
    names: Sequence[str],
    base: str,
    confirmed: int | None,
    journal: Journal,
    report: Report,
    stop: StopSignal,
) -> tuple[DeletePlan, int | None]:
    """Counts what is there, and refuses what `delete_objects` refuses; returns also how many there were when the first
    run of this journal began, None: this is the first one.

    Raises: StorageError (delete-protected, delete-changed), what listing raises.
    """
    refuse_in_marked_places(store, base, names, "deleted")
    plan = plan_delete(store, names, base=base, report=report, stop=stop)
    check_deletable(plan, store)
    counted = _load_count(journal)
    _check_amount(plan.objects, confirmed if counted is None else counted, store)
    if counted is None:
        journal.save(_STARTED, json.dumps({"objects": plan.objects}).encode(), durable=True)
    return plan, counted


class _Deleted(NamedTuple):
    """`finding` None: it is deleted."""

    item: str
    size: int
    finding: Finding | None = None
    is_object: bool = True


class _Deletion:
    """One run. Its methods are called from one thread, but for what deletes."""

    def __init__(self, store: ObjectStore, base: str, most: int, *, is_continued: bool) -> None:
        self._store = store
        self._base = base
        self._left = most
        self._denials = 0
        self._lock = threading.Lock()
        self._is_continued = is_continued
        self._dealt_with: set[int] = set()  # hashes of the names of what stays
        self._deleted = self._bytes = self._failed = self._skipped = self._finding_count = 0
        self._findings: list[Finding] = []

    def run_round(
        self,
        selection: Selection,
        journal: Journal,
        paced: PacedReport,
        report: Report,
        stop: StopSignal,
        threads: int,
    ) -> bool:
        """Goes through what is listed now; returns whether anything was deleted."""
        before = self._deleted

        def delete(entry: SelectedEntry) -> _Deleted | None:
            check_stop(stop)  # it may have waited for its turn
            done = self._delete(entry)
            if done is not None and journal.is_kept:
                detail = "deleted" if done.finding is None else "failed"
                journal.record(PHASE, (ItemMark(done.item, detail, done.finding is None, size=done.size),))
            return done

        with closing(map_in_order(delete, self._choose(selection, stop), threads=threads, stop=stop)) as results:
            for number, done in enumerate(results, 1):
                if done is None:
                    continue
                self._count(done)
                paced.add(done.size, 1, done.item)
                if done.finding is not None:
                    report(ItemFailed(PHASE, done.item, number, done.finding.detail))
        return self._deleted > before

    def _choose(self, selection: Selection, stop: StopSignal) -> Iterator[SelectedEntry]:
        for entry in selection.entries(stop=stop):
            if not entry.is_empty_folder and hash(entry.key) not in self._dealt_with:
                yield entry

    def _delete(self, entry: SelectedEntry) -> _Deleted | None:
        """None: nothing is there, which is what was wanted."""
        item = entry.key[len(self._base) :]
        if entry.problem not in ("", LINK):
            if entry.problem == NOTHING_THERE and (self._is_continued or self._deleted):
                return None
            return _Deleted(item, 0, Finding(FindingKind.EXTRA, item, detail=entry.problem), is_object=False)
        try:
            size = ask_size(self._store, entry)
            if size is None:
                return None
            what = find_protection(whole_key(self._store, entry.key))
            if what is not None:  # it was not there when everything was looked through
                return _stays(item, f"{what} is never deleted this way")
            if not self._may_delete_one_more():
                return _stays(item, "it was not there when all was counted")
            self._store.delete(entry.key)
        except ArchiveError as error:
            if ends_run(error, None) or self._is_denied_altogether(error):
                raise
            return _stays(item, str(error))
        return _Deleted(item, max(size, 0))

    def _is_denied_altogether(self, error: ArchiveError) -> bool:
        """A server may refuse single objects, such as those under a retention rule, and delete the others."""
        with self._lock:
            self._denials += isinstance(error, AccessDenied)
            return self._denials > MOST_DENIALS and not self._deleted

    def _may_delete_one_more(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def _count(self, done: _Deleted) -> None:
        if done.finding is None:
            self._deleted += 1
            self._bytes += done.size
            return
        self._dealt_with.add(hash(self._base + done.item))
        self._failed += done.is_object
        self._skipped += not done.is_object
        self._finding_count += 1
        if len(self._findings) < FINDINGS_KEPT:
            self._findings.append(done.finding)

    def make_receipt(self, gone_before: int, folders: int, seconds: float) -> DeleteReceipt:
        return DeleteReceipt(
            f"{self._store.label} {self._base}".rstrip(),
            self._deleted,
            self._bytes,
            gone_before,
            self._failed,
            self._skipped,
            folders,
            tuple(self._findings),
            self._finding_count,
            seconds,
            notes=(VERSIONS_REMAIN,) if self._store.traits.versioning is Support.YES else (),
        )


def _stays(item: str, why: str) -> _Deleted:
    return _Deleted(item, 0, Finding(FindingKind.EXTRA, item, detail=why))


def _load_count(journal: Journal) -> int | None:
    """How many objects there were when the first run of this journal began; None: this is the first one."""
    saved = journal.load(_STARTED)
    try:
        return int(json.loads(saved)["objects"]) if saved is not None else None
    except (ValueError, KeyError, TypeError):
        return None


def _check_amount(found: int, most: int | None, store: ObjectStore) -> None:
    if most is not None and found > most:
        raise StorageError(
            f"There are {found:,} objects to delete by now, and {most:,} were confirmed in {store.label}",
            store=store.label,
            hint="Nothing was deleted. Look at what has come there, and delete again.",
            code="delete-changed",
        )


def _remove_folders(store: ObjectStore, base: str, names: Sequence[str]) -> int:
    folder = innermost(store)
    if not isinstance(folder, FolderStore):
        return 0
    return sum(remove_empty_folders(folder, base + name) for name in names if not name or name.endswith("/"))
