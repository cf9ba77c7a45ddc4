"""Asks for every line of a manifest whether the vault holds its content, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archive_tui.archives.vault.evidence_book import EvidenceBook, EvidenceKeeper
from archive_tui.archives.vault.line_results import failed, from_look, is_fatal
from archive_tui.archives.vault.line_windows import LineSource, run_lines
from archive_tui.archives.vault.looking import Look, judge, learn_promises, look_at, look_for_version
from archive_tui.archives.vault.object_marks import ObjectMarks
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome
from archive_tui.archives.vault.presence import Presence, list_presence
from archive_tui.archives.vault.vault import Vault
from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import ArchiveError
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.object_reading import ObjectReading
from archive_tui.progress import Report, StopSignal, ignore, never

PHASE = "ask"

ASKERS = 32
"""Questions under way at once. A near server is asked as fast by eight; a distant one makes each of them wait."""


def ask_vault(
    manifest: LineSource,
    vault: Vault,
    *,
    evidence_table: EvidenceKeeper | None = None,
    read: bool = False,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal = no_journal,
    threads: int = ASKERS,
) -> Iterator[LineNews]:
    """Yields for each line, in order, HELD with the evidence, ABSENT, DAMAGED with what was found, or FAILED.

    Each content is asked for once in a window of lines, however many names it has; memory does not grow with the
    manifest. `read`: contents are read whole and hashed. What is proven is recorded in `evidence_table`, also when
    the run is stopped or fails. With a `journal` that is kept, contents that an earlier run of the same job has read
    whole are not read again while the same version lies there (`earlier`); they are asked for it; in a large
    one it goes on after the last 64 MiB.

    Raises: StorageUnavailable, AccessDenied, what else concerns the whole store; what reading the manifest raises;
    OperationStopped. The lines before have been yielded.
    """
    learn_promises(vault.store, stop=stop)
    count = manifest.count_lines()
    presence = list_presence(vault.store, vault.prefix, count, stop=stop)
    book = EvidenceBook(evidence_table, vault.store.identity)
    paced = PacedReport(report, PHASE)
    marks = ObjectMarks(journal, PHASE, vault.store.identity)
    reading = ObjectReading(vault.store, journal, stop=stop)
    work = ContentWork(vault, book, ContentLooker(vault, book, marks, reading, presence, stop, read=read), marks)
    yield from run_lines(
        manifest, work, paced=paced, phase=PHASE, count=count, threads=threads, report=report, stop=stop
    )


class ContentLooker:
    """Looks at contents of a vault with all that is known in advance: a listing, and earlier evidence.

    `read`: every content is read whole. `sure`: those are of which the store says no more than that they exist.
    """

    def __init__(
        self,
        vault: Vault,
        book: EvidenceBook,
        marks: ObjectMarks,
        reading: ObjectReading,
        presence: Presence | None,
        stop: StopSignal,
        *,
        read: bool = False,
        sure: bool = False,
    ) -> None:
        self._vault = vault
        self._book = book
        self._marks = marks
        self._reading = reading
        self._presence = presence
        self._stop = stop
        self._read = read
        self._sure = sure

    def forget_listing(self) -> None:
        """For when something listed may have been deleted since."""
        self._presence = None

    def look(self, digest: str) -> Look:
        """Looks, and notes the evidence. Raises: what the store raises, OperationStopped."""
        key = self._vault.key(digest)
        presence = self._presence
        if presence is None:
            return self.look_again(digest)
        if not presence.may_hold(key):
            return Look(Outcome.ABSENT, key)
        described = presence.described(key)
        if described is None or self._read:
            return self.look_again(digest)
        known = self._book.known(key)
        look = judge(self._vault.store.identity, described, digest, known)
        if look.evidence is not None and look.evidence is not known:
            look = look._replace(evidence=replace(look.evidence, checked_at=presence.listed_at))
        return self._noted(look)

    def look_again(self, digest: str) -> Look:
        """Looks without regard to the listing. Raises: as `look`."""
        key = self._vault.key(digest)
        earlier = self._marks.find_read(key) if self._read else None
        still = look_for_version(self._vault.store, earlier) if earlier is not None else None
        if still is not None:
            return self._noted(still)
        known = self._book.known(key)
        look = look_at(self._vault, digest, known=known, read=self._read, reading=self._reading, stop=self._stop)
        if self._sure and look.evidence is not None and look.evidence.level is EvidenceLevel.LISTED:
            look = look_at(self._vault, digest, read=True, reading=self._reading, stop=self._stop)
        return self._noted(look)

    def _noted(self, look: Look) -> Look:
        self._book.note(look.evidence)
        return look


class ContentWork:
    """The work of a run in which the lines of one content are done together: one look, then what becomes of them.

    A failure that is not the whole store's is the result of those lines.
    """

    def __init__(self, vault: Vault, book: EvidenceBook, looker: ContentLooker, marks: ObjectMarks) -> None:
        self.vault = vault
        self._book = book
        self._looker = looker
        self._marks = marks

    def group_of(self, line: ManifestLine) -> str:
        return line.digest

    def begin_window(self, lines: Sequence[ManifestLine]) -> None:
        self._marks.turn_to(lines)
        self._book.turn_to({self.vault.key(line.digest) for line in lines}, self._marks.evidence)

    def work(self, lines: Sequence[ManifestLine]) -> Sequence[LineResult]:
        results = self._work(lines)
        self._marks.record(results)
        return results

    def _work(self, lines: Sequence[ManifestLine]) -> Sequence[LineResult]:
        digest = lines[0].digest
        try:
            look = self._looker.look(digest)
        except ArchiveError as error:
            if is_fatal(error, self.vault.store):
                raise
            return [failed(line, error, self.vault.key(digest)) for line in lines]
        return self.settle(lines, look)

    def settle(self, lines: Sequence[ManifestLine], look: Look) -> Sequence[LineResult]:
        """Returns a result for each line. Here: what the look says, nothing is done."""
        return [from_look(line, look, self.vault.title) for line in lines]

    def end_window(self) -> None:
        self._book.write()
