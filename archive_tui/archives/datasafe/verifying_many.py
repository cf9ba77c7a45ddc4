"""Verifies datasets of a safe one after the other, so that a later run of the same job goes on with the rest."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

from archive_tui.archives.datasafe.safe import Safe, SafeEntry, SafeState
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import ArchiveError, IntegrityError, LoiNotFoundError, ObjectNotFound, OperationStopped
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport, Verdict
from archive_tui.names.quantities import format_count
from archive_tui.operations.earlier_runs import EarlierRuns
from archive_tui.operations.object_failures import ends_run
from archive_tui.progress import BytesDone, Ended, Event, ItemDone, ItemFailed, Planned, Report, StopSignal, never
from archive_tui.progress import ignore as ignore_events

PHASE = "verify"
METHOD = "Read whole: every file compared with its SHA-256 and with the checksums of its manifest."


def verify_datasets(
    safe: Safe,
    lois: Sequence[str] | None,
    *,
    prefix: str = "",
    report: Report = ignore_events,
    stop: StopSignal = never,
    journal: Journal = no_journal,
    tell: Callable[[Evidence], None] = lambda evidence: None,
) -> IntegrityReport:
    """Verifies the datasets of these LOIs; None: all that are deposited below `prefix`, reserved ones are passed over.

    Findings name the LOI before the path in the dataset. `tell` hears of each dataset what was proven, under the key of
    its LOI. What an earlier run of the same job has found right is taken over while it is the same archive. A dataset
    that cannot be read is a finding; the rest goes on.

    Raises: what befalls the safe as a whole: StorageUnavailable, AccessDenied. A stop ends it with what was done.
    """
    started = time.monotonic()
    entries = [_look(safe, loi) for loi in lois] if lois is not None else list(safe.entries(prefix, stop=stop))
    chosen = entries if lois is not None else [entry for entry in entries if entry.state is not SafeState.RESERVED]
    subject = chosen[0].loi if len(chosen) == 1 else f"{format_count(len(chosen), 'dataset')} of {safe.label}"
    reserved = len(entries) - len(chosen)
    run = _Run(safe, chosen, report, stop, journal, tell)
    is_complete = run.verify_all()
    notes = [run.earlier.describe("read"), f"{reserved:,} reserved without data" if reserved else ""]
    return IntegrityReport(
        subject=subject,
        files_total=run.files_total,
        files_ok=run.files_ok,
        bytes_total=run.bytes_total,
        bytes_read=run.bytes_read,
        findings=tuple(run.findings),
        complete=is_complete,
        proven="every byte read and hashed, compared with digests and manifests",
        seconds=time.monotonic() - started,
        notes=tuple(note for note in notes if note),
    )


def _look(safe: Safe, loi: str) -> SafeEntry:
    try:
        return safe.look(loi)
    except LoiNotFoundError as error:
        return SafeEntry(loi, SafeState.DAMAGED, detail=error.message)


class _Run:
    def __init__(
        self,
        safe: Safe,
        entries: Sequence[SafeEntry],
        report: Report,
        stop: StopSignal,
        journal: Journal,
        tell: Callable[[Evidence], None],
    ) -> None:
        self._safe = safe
        self._entries = entries
        self._report = report
        self._stop = stop
        self._journal = journal
        self._tell = tell
        self.findings: list[Finding] = []
        self.files_total = sum(entry.files or 0 for entry in entries)
        self.bytes_total = sum(entry.size or 0 for entry in entries)
        self.files_ok = self.bytes_read = 0
        self.earlier = EarlierRuns()

    def verify_all(self) -> bool:
        """Returns False when it was stopped."""
        known = all(entry.files is not None and entry.size is not None for entry in self._entries)
        totals = (self.files_total, self.bytes_total) if known else (None, None)
        self._report(Planned(PHASE, *totals))
        finished = False
        try:
            for entry in self._entries:
                if self._stop.is_set() or not self._verify(entry):
                    return False
            finished = True
            return True
        finally:
            self._report(Ended(PHASE, finished))

    def _verify(self, entry: SafeEntry) -> bool:
        stamp = f"{entry.digest}:{entry.modified}" if entry.digest else ""
        if stamp and self._take_over(entry, stamp):
            return True
        try:
            found = self._safe.verify(entry.loi, report=self._relay(entry.loi), stop=self._stop)
        except OperationStopped:
            return False
        except ArchiveError as error:
            if ends_run(error, None):
                raise
            self._fail(entry, error)
            return True
        self._add(entry, found)
        if found.complete:
            self._conclude(entry, found, stamp)
        return found.complete

    def _take_over(self, entry: SafeEntry, stamp: str) -> bool:
        mark = self._journal.find(PHASE, [entry.loi]).get(entry.loi) if self._journal.has_earlier else None
        if mark is None or not mark.is_good or mark.stamp != stamp:
            return False
        self.files_ok += entry.files or 0
        self.earlier.add(mark.at, entry.files or 1)
        self._report(ItemDone(PHASE, entry.loi, self.files_ok))
        return True

    def _add(self, entry: SafeEntry, found: IntegrityReport) -> None:
        self.files_total += found.files_total - (entry.files or 0)
        self.bytes_total += found.bytes_total - (entry.size or 0)
        self.files_ok += found.files_ok
        self.bytes_read += found.bytes_read
        self.findings += [
            dataclasses.replace(finding, path=f"{entry.loi}/{finding.path}") for finding in found.findings
        ]

    def _conclude(self, entry: SafeEntry, found: IntegrityReport, stamp: str) -> None:
        is_right, now = found.verdict is Verdict.VERIFIED, time.time()
        if found.verdict is not Verdict.INCONCLUSIVE:
            level = EvidenceLevel.READ if is_right else EvidenceLevel.DAMAGED
            self._tell(Evidence(self._safe.identity, entry.loi, level, entry.digest, found.bytes_read, now, METHOD))
        if self._journal.is_kept:
            word = "same" if is_right else "changed"
            evidence = "read" if is_right else "damaged"
            mark = ItemMark(entry.loi, word, is_right, stamp, entry.digest, entry.size, evidence, found.sentence, now)
            self._journal.record(PHASE, [mark])

    def _fail(self, entry: SafeEntry, error: ArchiveError) -> None:
        """What cannot be verified at all counts as one file that is not right."""
        kind = FindingKind.UNREADABLE
        if isinstance(error, ObjectNotFound):
            kind = FindingKind.MISSING
        elif isinstance(error, IntegrityError):
            kind = FindingKind.CHANGED
            self._tell(
                Evidence(self._safe.identity, entry.loi, EvidenceLevel.DAMAGED, None, 0, time.time(), error.message)
            )
        self.files_total += 0 if entry.files else 1
        self.findings.append(Finding(kind, entry.loi, detail=error.message))
        self._report(ItemFailed(PHASE, entry.loi, self.files_ok + len(self.findings), error.message))
        if self._journal.is_kept:
            self._journal.record(PHASE, [ItemMark(entry.loi, str(kind), False, detail=error.message)])

    def _relay(self, loi: str) -> Report:
        """Passes the events of one dataset on as part of the whole."""
        bytes_before, items_before = self.bytes_read, self.files_ok + len(self.findings)

        def relay(event: Event) -> None:
            if isinstance(event, BytesDone):
                self._report(BytesDone(PHASE, bytes_before + event.total))
            elif isinstance(event, ItemDone):
                self._report(ItemDone(PHASE, f"{loi}/{event.item}", items_before + event.items_total))
            elif isinstance(event, ItemFailed):
                item = f"{loi}/{event.item}"
                self._report(ItemFailed(PHASE, item, items_before + event.items_total, event.reason))
            elif not isinstance(event, Planned | Ended):
                self._report(event)

        return relay
