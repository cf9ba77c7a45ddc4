"""Marks what no manifest refers to, and deletes what has stayed so, several at once; a later run goes on.

Who archives takes the marks away before anybody looks at a content (`guard`). A run therefore claims a batch in the
same document before it deletes any of it: either the claim comes first, and whoever archives waits until the batch is
done, or the mark is gone first, and the content is not claimed.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice

from archive_tui.archives.vault.pruning.batch import PHASE, Batch, BatchResult
from archive_tui.archives.vault.pruning.mark_book import MarkBook, StoredMarks
from archive_tui.archives.vault.pruning.mark_document import Claim, PruneMarks
from archive_tui.archives.vault.pruning.plan import complete
from archive_tui.archives.vault.pruning.receipt import FINDINGS_KEPT, PruneReceipt
from archive_tui.archives.vault.pruning.references import ManifestReferences
from archive_tui.archives.vault.pruning.ripeness import Clocks, find_wait
from archive_tui.archives.vault.pruning.survey import Survey, survey_vault
from archive_tui.archives.vault.vault import Vault
from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import ConfigurationError, OperationStopped, StorageError
from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count
from archive_tui.objects.folder.empty_folders import remove_empty_folders
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import Support
from archive_tui.operations.deleting.receipt import VERSIONS_REMAIN
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.selected_entries import innermost
from archive_tui.progress import Ended, Planned, Report, StopSignal, check_stop, ignore, never

LEAST_GRACE = 3600.0
"""Seconds. An archiving, and the claims of a run that died, have to be over within it."""

STALE_CLAIM = 3600.0
"""Seconds after which a claim belongs to a run that is dead: a living one claims each batch anew."""

MOST_MARKS = 500_000
"""Marks that the document holds; what is left over is marked when those are done."""

LEAST_BATCH = 1000
BATCHES = 20
"""The document is written at most about so often in a run."""

_STARTED, _OWNER = "prune", "prune-owner"


def prune_vault(
    vault: Vault,
    references: ManifestReferences,
    *,
    grace: float,
    confirmed: int | None = None,
    clock: Callable[[], float] = time.time,
    journal: Journal = no_journal,
    report: Report = ignore,
    stop: StopSignal = never,
) -> PruneReceipt:
    """Marks the contents to which no manifest refers, and deletes those that were marked `grace` seconds ago or more,
    still are, and lie there for as long by the store's own time. `confirmed` is the number of deletions that somebody
    has agreed to: when more are due, nothing is deleted; None: whatever is due.

    Manifests that change are read again before every batch. A run with the same `journal` goes on with what is left.
    What a killed run has claimed is taken over by its own next run at once, by others after an hour.

    Raises: ConfigurationError (prune-unsafe), StorageError (prune-changed, prune-busy), ManifestError; what the store
    raises; OperationStopped. Nothing but what was due is deleted before.
    """
    started = time.monotonic()
    run = _Prune(vault, references, grace, clock, journal, report, stop)
    run.mark()
    gone_before = run.check_amount(confirmed)
    run.delete()
    return run.make_receipt(gone_before, time.monotonic() - started)


class _Prune:
    """One run. Its methods are called from one thread."""

    def __init__(
        self,
        vault: Vault,
        references: ManifestReferences,
        grace: float,
        clock: Callable[[], float],
        journal: Journal,
        report: Report,
        stop: StopSignal,
    ) -> None:
        self._vault, self._references, self._grace, self._clock = vault, references, grace, clock
        self._journal, self._report, self._stop = journal, report, stop
        self._book = MarkBook(vault)
        self._owner = _find_owner(journal)
        self._due: list[str] = []
        self._marked = self._unmarked = self._waiting = 0
        self._deleted = self._bytes = self._spared = self._failed = 0
        self._findings: list[Finding] = []
        self._capped = False

    def mark(self) -> None:
        """Lists the vault, brings the marks up to date, and finds out what is due."""
        self._book.require_promises()
        self._book.load()  # marks that cannot be used are found before the long listing
        survey = survey_vault(self._vault, self._references, report=self._report, stop=self._stop)
        # Written in any case: when the store takes the document, it says what time it has.
        heartbeat = self._book.change(self._free_own, stop=self._stop, always=True)
        if heartbeat.taken is None:
            raise ConfigurationError(
                f"{self._vault.store.label} does not say when an object was written, so a vault there is not pruned.",
                hint="The grace time goes by the store's own clock.",
                code="prune-unsafe",
            )
        dead = _find_dead(heartbeat)
        stored = self._book.change(lambda marks: self._update(marks, survey, dead), stop=self._stop)
        self._find_due(survey, stored)

    def _free_own(self, marks: PruneMarks) -> PruneMarks:
        return marks.claiming(self._owner, ())

    def _update(self, marks: PruneMarks, survey: Survey, dead: Mapping[str, Claim]) -> PruneMarks:
        for name, claim in dead.items():
            if marks.claims.get(name) == claim:
                marks = marks.claiming(name, ())
        before = marks.marked
        gone = {digest for digest in before if digest not in survey.unreferenced} - marks.claimed
        kept = marks.without(gone)
        room = MOST_MARKS - len(before) + len(gone)
        fresh = sorted(survey.unreferenced.keys() - before)
        self._capped = len(fresh) > room
        self._marked, self._unmarked = min(len(fresh), max(0, room)), len(gone)
        return kept.adding(fresh[: max(0, room)], self._clock())

    def _find_due(self, survey: Survey, stored: StoredMarks) -> None:
        now = Clocks(stored.taken, self._clock())
        claimed = stored.marks.claimed
        for digest, marked in sorted(stored.marks.times().items()):
            content = survey.unreferenced.get(digest)
            if content is None or digest in claimed or (find_wait(marked, 0.0, now, self._grace) or 0.0) > 0.0:
                continue
            check_stop(self._stop)
            content = complete(self._vault, digest, content)
            wait = find_wait(marked, content.modified, now, self._grace) if content is not None else None
            if wait is not None and wait <= 0.0:
                self._due.append(digest)
        self._waiting = len(stored.marks.marked)

    def check_amount(self, confirmed: int | None) -> int:
        """Returns how many an earlier run of this journal has dealt with. Raises: StorageError (prune-changed)."""
        counted = _load_count(self._journal)
        most = confirmed if counted is None else counted
        if most is not None and len(self._due) > most:
            raise StorageError(
                f"There are {format_count(len(self._due), 'content')} to delete by now, and {most:,} were confirmed "
                f"in {self._vault.title}",
                store=self._vault.store.label,
                hint="Nothing was deleted. Look at the plan, and prune again.",
                code="prune-changed",
            )
        if counted is None:
            self._journal.save(_STARTED, json.dumps({"contents": len(self._due)}).encode(), durable=True)
        return max(0, counted - len(self._due)) if counted is not None else 0

    def delete(self) -> None:
        """Deletes what is due, a batch at a time."""
        if not self._due:
            return
        paced = PacedReport(self._report, PHASE)
        self._report(Planned(PHASE, len(self._due)))
        is_finished = False
        try:
            for digests in _cut(self._due):
                self._delete_batch(digests, paced)
            is_finished = True
        except OperationStopped:
            with suppress(StorageError):
                self._book.change(self._free_own)  # all that was begun has ended: nobody has to wait
            raise
        finally:
            paced.flush()
            self._report(Ended(PHASE, is_finished))
        store = innermost(self._vault.store)
        if self._deleted and isinstance(store, FolderStore):
            remove_empty_folders(store, self._vault.prefix)

    def _delete_batch(self, digests: list[str], paced: PacedReport) -> None:
        while digests:
            check_stop(self._stop)
            self._references.read_changes()
            wanted = {digest for digest in digests if digest not in self._references}
            batch = Batch(
                self._vault, self._book, self._owner, wanted, self._grace, self._clock, self._journal, self._stop
            )
            done = batch.run(paced, self._report)
            self._count(done, len(digests))
            digests = done.late

    def _count(self, done: BatchResult, wanted: int) -> None:
        self._deleted += done.deleted
        self._bytes += done.bytes
        self._failed += len(done.findings)
        self._spared += wanted - done.deleted - done.absent - len(done.findings) - len(done.late)
        self._waiting = done.marked
        self._findings += done.findings[: FINDINGS_KEPT - len(self._findings)]

    def make_receipt(self, gone_before: int, seconds: float) -> PruneReceipt:
        notes = [VERSIONS_REMAIN] if self._vault.store.traits.versioning is Support.YES and self._deleted else []
        if self._capped:
            notes.append(f"At most {MOST_MARKS:,} contents are marked at a time: more are marked when those are done.")
        return PruneReceipt(
            f"vault {self._vault.title}", self._marked, self._waiting, self._unmarked, self._deleted, self._bytes,
            gone_before, self._spared, self._failed, tuple(self._findings), self._failed, seconds, tuple(notes),
        )  # fmt: skip


def _find_owner(journal: Journal) -> str:
    """The same in every run of a job, so that it goes on with what it has claimed."""
    saved = journal.load(_OWNER)
    if saved is not None:
        return saved.decode("ascii", "replace")
    owner = uuid.uuid4().hex
    journal.save(_OWNER, owner.encode(), durable=True)
    return owner


def _find_dead(found: StoredMarks) -> Mapping[str, Claim]:
    """The claims that were old when the marks were written just now."""
    return {
        name: claim
        for name, claim in found.marks.claims.items()
        if claim.since is not None and found.taken is not None and found.taken - claim.since > STALE_CLAIM
    }


def _load_count(journal: Journal) -> int | None:
    saved = journal.load(_STARTED)
    try:
        return int(json.loads(saved)["contents"]) if saved is not None else None
    except (ValueError, KeyError, TypeError):
        return None


def _cut(digests: list[str]) -> Iterator[list[str]]:
    size = max(LEAST_BATCH, len(digests) // BATCHES)
    rest = iter(digests)
    while batch := list(islice(rest, size)):
        yield batch
