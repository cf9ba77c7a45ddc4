"""Checks several files out into a folder, each by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.results_store.checking_out import PHASE, check_out
from archive_tui.archives.results_store.result_entry import CheckOutReceipt, ResultEntry, match_content
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import ArchiveError, HashError, ObjectExists, ObjectNotFound, OperationStopped
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.member_paths import check_member_path
from archive_tui.names.quantities import format_count, format_size
from archive_tui.operations.object_failures import ends_run
from archive_tui.progress import (
    BytesDone,
    Ended,
    Event,
    ItemDone,
    ItemFailed,
    Planned,
    Report,
    StopSignal,
    check_stop,
    never,
)
from archive_tui.progress import ignore as ignore_events


@dataclass(frozen=True, slots=True)
class CheckOutReport:
    """What became of several files. `same` were in the folder already, right by the manifest. `bytes` were written."""

    store: str
    folder: Path
    receipts: tuple[CheckOutReceipt, ...] = ()
    same: int = 0
    bytes: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a check-out."""
        parts = [f"{format_count(len(self.receipts), 'file')} checked out, {format_size(self.bytes)}"]
        parts += [f"{self.same:,} there already, read and right"] if self.same else []
        parts += [f"{len(self.findings):,} not checked out"] if self.findings else []
        return f"{'Not all' if self.findings else 'Verified'}: {'; '.join(parts)}: {self.folder}"


def check_out_many(
    results: ResultsStore,
    entries: Sequence[ResultEntry],
    folder: Path,
    *,
    overwrite: bool = False,
    report: Report = ignore_events,
    stop: StopSignal = never,
    journal: Journal = no_journal,
) -> CheckOutReport:
    """Checks files out into `folder`, which is made: under their names when they are of one production, else below
    `EVENT/PRODUCTION`. One that is there with the right content is passed over; another one is left, and a finding,
    unless `overwrite`.

    Raises: what befalls the store, or the disk, as a whole; OperationStopped: what was checked out stays.
    """
    run = _Run(results, entries, folder, overwrite, report, stop, journal)
    report(Planned(PHASE, len(entries), sum(entry.size or 0 for entry in entries)))
    is_finished = False
    try:
        for entry in entries:
            check_stop(stop)
            run.check_out(entry)
        is_finished = True
    finally:
        report(Ended(PHASE, is_finished))
    return run.make_report()


class _Run:
    def __init__(
        self,
        results: ResultsStore,
        entries: Sequence[ResultEntry],
        folder: Path,
        overwrite: bool,
        report: Report,
        stop: StopSignal,
        journal: Journal,
    ) -> None:
        self._results = results
        self._folder = folder
        self._overwrite = overwrite
        self._is_one_production = len({(entry.event, entry.production) for entry in entries}) < 2
        self._report = report
        self._stop = stop
        self._journal = journal
        self._receipts: list[CheckOutReceipt] = []
        self._findings: list[Finding] = []
        self._same = self._bytes = self._passed_over = self._done = 0

    def check_out(self, entry: ResultEntry) -> None:
        try:
            self._try(entry)
        except ArchiveError as error:
            if isinstance(error, OperationStopped) or ends_run(error, None):
                raise
            self._fail(entry, error)
            return
        self._done += 1
        self._mark(ItemMark(entry.path, "checked out", digest=entry.sha256, size=entry.size))
        self._report(ItemDone(PHASE, entry.path, self._done))

    def _try(self, entry: ResultEntry) -> None:
        target = self._folder / check_member_path(entry.name if self._is_one_production else entry.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        there = self._size_there(entry, target)
        if there is not None:
            self._same += 1
            self._passed_over += there
            self._report(BytesDone(PHASE, self._bytes + self._passed_over))
            return
        receipt = check_out(
            self._results,
            entry.event,
            entry.production,
            entry.name,
            target,
            overwrite=self._overwrite,
            report=self._relay,
            stop=self._stop,
        )
        self._receipts.append(receipt)
        self._bytes += receipt.evidence.size

    def _size_there(self, entry: ResultEntry, target: Path) -> int | None:
        """Returns the size of what lies there in bytes when it is the content of the entry; else None."""
        with contextlib.suppress(OSError):
            if target.is_file():
                with target.open("rb", buffering=0) as content:
                    return match_content(entry, read_chunks(content, stop=self._stop))
        return None

    def _fail(self, entry: ResultEntry, error: ArchiveError) -> None:
        self._done += 1
        kind = FindingKind.UNREADABLE
        if isinstance(error, HashError | ObjectExists):
            kind = FindingKind.CHANGED
        elif isinstance(error, ObjectNotFound):
            kind = FindingKind.MISSING
        self._findings.append(Finding(kind, entry.path, detail=error.message))
        self._mark(ItemMark(entry.path, str(kind), False, detail=error.message))
        self._report(ItemFailed(PHASE, entry.path, self._done, error.message))

    def _mark(self, mark: ItemMark) -> None:
        if self._journal.is_kept:
            self._journal.record(PHASE, [mark])

    def _relay(self, event: Event) -> None:
        if isinstance(event, BytesDone):
            self._report(BytesDone(PHASE, self._bytes + self._passed_over + event.total))

    def make_report(self) -> CheckOutReport:
        return CheckOutReport(
            self._results.label,
            self._folder,
            tuple(self._receipts),
            self._same,
            self._bytes,
            tuple(self._findings),
        )
