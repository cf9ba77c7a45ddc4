"""Deletes one batch of contents, between a claim in the marks and its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from archive_tui.archives.vault.pruning.mark_book import MarkBook
from archive_tui.archives.vault.pruning.mark_document import MarkRound, PruneMarks
from archive_tui.archives.vault.pruning.ripeness import Clocks, find_wait
from archive_tui.archives.vault.vault import Vault
from archive_tui.continuation import ItemMark, Journal
from archive_tui.errors import ArchiveError, ObjectNotFound
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.object_failures import ends_run
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.progress import ItemFailed, Report, StopSignal, check_stop

PHASE = "delete"

DELETE_THREADS = 16

LATE = "late"

CLAIM_SECONDS = 600.0
"""For so long a claim is relied on, well below the time after which others take it for dead."""


@dataclass(slots=True)
class BatchResult:
    """`marked`: marks of the whole vault that are left. `absent` were gone already. To `late` the claim did not
    last: they are to be claimed once more."""

    deleted: int = 0
    bytes: int = 0
    absent: int = 0
    marked: int = 0
    findings: list[Finding] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


class _Done(NamedTuple):
    digest: str
    outcome: str
    size: int = 0
    finding: Finding | None = None


class Batch:
    """Deletes of the `wanted` digests what is still marked, when it has been claimed, and looks at each once more."""

    def __init__(
        self,
        vault: Vault,
        book: MarkBook,
        owner: str,
        wanted: set[str],
        grace: float,
        clock: Callable[[], float],
        journal: Journal,
        stop: StopSignal,
    ) -> None:
        self._vault, self._book, self._owner, self._wanted = vault, book, owner, wanted
        self._grace, self._clock, self._journal, self._stop = grace, clock, journal, stop
        self._taken: float | None = None
        self._times: dict[str, MarkRound] = {}
        self._claimed_at = (0.0, 0.0)

    def run(self, paced: PacedReport, report: Report) -> BatchResult:
        """Raises: what ends a run, OperationStopped. The claim then stays, for calls may be under way."""
        self._claimed_at = (time.monotonic(), time.time())
        claim = self._book.change(self._make_claim, stop=self._stop)
        self._taken, self._times = claim.taken, claim.marks.times()
        own = claim.marks.claims.get(self._owner)
        claimed = sorted(own.digests) if own is not None else []
        result, finished = BatchResult(), set()
        with closing(map_in_order(self._delete, claimed, threads=DELETE_THREADS, stop=self._stop)) as done_ones:
            for number, done in enumerate(done_ones, 1):
                self._count(done, result)
                if done.outcome not in ("failed", LATE):
                    finished.add(done.digest)  # what was archived anew meanwhile is marked anew, with its own time
                paced.add(done.size, done.outcome != LATE, done.digest)
                if done.finding is not None:
                    report(ItemFailed(PHASE, done.digest, number, done.finding.detail))
        left = self._book.change(lambda marks: marks.claiming(self._owner, ()).without(finished))
        result.marked = len(left.marks.marked)
        return result

    def _make_claim(self, marks: PruneMarks) -> PruneMarks:
        """A mark that was taken away, or is another one by now, is not claimed."""
        times, others = marks.claiming(self._owner, ()).times(), marks.claiming(self._owner, ()).claimed
        here = self._clock()
        due = {
            digest
            for digest in self._wanted - others
            if digest in times and here - times[digest].marked_here >= self._grace
        }
        return marks.claiming(self._owner, due)

    def _delete(self, digest: str) -> _Done:
        check_stop(self._stop)
        key = self._vault.key(digest)
        try:
            info = self._vault.store.info(key)
            if not self._holds_claim():
                return _Done(digest, LATE)
            if not self._is_due(digest, info.modified):
                return _Done(digest, "spared")
            self._vault.store.delete(key)
        except ObjectNotFound:
            return _Done(digest, "absent")
        except ArchiveError as error:
            if ends_run(error, self._vault.store):
                raise
            return _Done(digest, "failed", finding=Finding(FindingKind.EXTRA, key, detail=str(error)))
        return _Done(digest, "deleted", max(info.size, 0))

    def _holds_claim(self) -> bool:
        """False after some time, also when this process has been asleep in between."""
        monotonic, wall = self._claimed_at
        return max(time.monotonic() - monotonic, abs(time.time() - wall)) <= CLAIM_SECONDS

    def _is_due(self, digest: str, modified: float | None) -> bool:
        """The last look: it lies there for long enough."""
        now = Clocks(self._taken, self._clock())
        wait = find_wait(self._times.get(digest), modified, now, self._grace)
        return wait is not None and wait <= 0.0

    def _count(self, done: _Done, result: BatchResult) -> None:
        result.deleted += done.outcome == "deleted"
        result.bytes += done.size
        result.absent += done.outcome == "absent"
        if done.finding is not None:
            result.findings.append(done.finding)
        if done.outcome == LATE:
            result.late.append(done.digest)
        elif self._journal.is_kept:
            is_good = done.finding is None
            self._journal.record(PHASE, (ItemMark(done.digest, done.outcome, is_good, size=done.size),))
