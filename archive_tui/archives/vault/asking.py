"""Asks for every line of a manifest whether the vault holds its content, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archive_tui.archives.vault.evidence_book import EvidenceBook, EvidenceKeeper
from archive_tui.archives.vault.line_results import failed, from_look, is_fatal
from archive_tui.archives.vault.line_windows import LineSource, run_lines
from archive_tui.archives.vault.looking import Look, judge, learn_promises, look_at
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome
from archive_tui.archives.vault.presence import Presence, list_presence
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ArchiveError
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.operations.hashing.paced_report import PacedReport
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
    threads: int = ASKERS,
) -> Iterator[LineNews]:
    """Yields for each line, in order, HELD with the evidence, ABSENT, DAMAGED with what was found, or FAILED.

    Each content is asked for once in a window of lines, however many names it has; memory does not grow with the
    manifest. `read`: contents are read whole and hashed. What is proven is recorded in `evidence_table`, also when
    the run is stopped or fails.

    Raises: StorageUnavailable, AccessDenied, what else concerns the whole store; what reading the manifest raises;
    OperationStopped. The lines before have been yielded.
    """
    learn_promises(vault.store, stop=stop)
    count = manifest.count_lines()
    presence = list_presence(vault.store, vault.prefix, count, stop=stop)
    book = EvidenceBook(evidence_table, vault.store.identity)
    paced = PacedReport(report, PHASE)
    work = ContentWork(vault, book, ContentLooker(vault, book, presence, stop, read=read))
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
        presence: Presence | None,
        stop: StopSignal,
        *,
        read: bool = False,
        sure: bool = False,
    ) -> None:
        self._vault = vault
        self._book = book
        self._presence = presence
        self._stop = stop
        self._read = read
        self._sure = sure

    def look(self, digest: str) -> Look:
        """Looks, and notes the evidence. Raises: what the store raises, OperationStopped."""
        key = self._vault.key(digest)
        if self._presence is None:
            return self.look_again(digest)
        if not self._presence.may_hold(key):
            return Look(Outcome.ABSENT, key)
        described = self._presence.described(key)
        if described is None or self._read:
            return self.look_again(digest)
        known = self._book.known(key)
        look = judge(self._vault.store.identity, described, digest, known)
        if look.evidence is not None and look.evidence is not known:
            look = look._replace(evidence=replace(look.evidence, checked_at=self._presence.listed_at))
        return self._noted(look)

    def look_again(self, digest: str) -> Look:
        """Looks without regard to the listing. Raises: as `look`."""
        known = self._book.known(self._vault.key(digest))
        look = look_at(self._vault, digest, known=known, read=self._read, stop=self._stop)
        if self._sure and look.evidence is not None and look.evidence.level is EvidenceLevel.LISTED:
            look = look_at(self._vault, digest, read=True, stop=self._stop)
        return self._noted(look)

    def _noted(self, look: Look) -> Look:
        self._book.note(look.evidence)
        return look


class ContentWork:
    """The work of a run in which the lines of one content are done together: one look, then what becomes of them.

    A failure that is not the whole store's is the result of those lines.
    """

    def __init__(self, vault: Vault, book: EvidenceBook, looker: ContentLooker) -> None:
        self.vault = vault
        self._book = book
        self._looker = looker

    def group_of(self, line: ManifestLine) -> str:
        return line.digest

    def begin_window(self, lines: Sequence[ManifestLine]) -> None:
        self._book.turn_to({self.vault.key(line.digest) for line in lines})

    def work(self, lines: Sequence[ManifestLine]) -> Sequence[LineResult]:
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
