"""Archives the files of a manifest: what the vault lacks is uploaded, what it has is verified and left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from archive_tui.archives.vault.archive_target import ArchiveTarget
from archive_tui.archives.vault.asking import ContentLooker, ContentWork
from archive_tui.archives.vault.evidence_book import EvidenceBook, EvidenceKeeper
from archive_tui.archives.vault.line_results import already_there, failed, from_look, is_fatal
from archive_tui.archives.vault.line_windows import LineSource, LineWork, run_lines
from archive_tui.archives.vault.looking import Look, learn_promises
from archive_tui.archives.vault.object_marks import ObjectMarks
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome
from archive_tui.archives.vault.path_archiving import PathArchiving
from archive_tui.archives.vault.presence import list_presence
from archive_tui.archives.vault.pruning.guard import GuardedWork, MarkGuard
from archive_tui.archives.vault.uploading import Uploader
from archive_tui.archives.vault.vault import Vault
from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import AccessDenied, ArchiveError, ObjectExists, StorageFull, StorageUnavailable
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.objects.object_store import ObjectStore, Support
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.object_reading import ObjectReading
from archive_tui.progress import Report, StopSignal, ignore, never

PHASE = "archive"

UPLOADERS = 32
"""Contents under way at once to a server; of larger ones fewer (see `Uploader`)."""

LOCAL_UPLOADERS = 16
"""The same into a folder, where they wait for the disk only; more would hinder each other."""

REPEAT = "What is stored already stays; the same command again uploads only what is missing."


def archive_manifest(
    manifest: LineSource,
    vault: Vault,
    *,
    root: Path = Path(),
    target: ArchiveTarget | None = None,
    upload_all: bool = False,
    evidence_table: EvidenceKeeper | None = None,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal = no_journal,
    threads: int | None = None,
) -> Iterator[LineNews]:
    """Uploads what is missing, and yields for each line, in order, what became of it.

    Into the vault, each content once, however many lines name it; with `target`, each file under the target's prefix
    and its name, except contents that the vault holds (unless `upload_all`). Names are relative to `root`, or
    absolute; files are only read.

    ALREADY_THERE rests on the store's own word about the digest, on an earlier look at the same version, or on reading
    the object whole; never on its existence. What has other bytes is DAMAGED (under a path: EXISTS), named, and never
    replaced. A file that does not match its line is CHANGED and never stored under the wrong digest. MISSING,
    UNREADABLE, REFUSED and FAILED concern one line; the rest goes on. With a `journal` that is kept, a later run of the
    same job builds on what an earlier one has proven of the very version that lies there, also when that was killed,
    and says of which lines the upload was its own (`earlier`).

    Raises: StorageUnavailable, AccessDenied, StorageFull: the run ends, what is stored stays, and running the same
    again uploads the rest; what reading the manifest raises; OperationStopped within one block. The lines before have
    been yielded, and all evidence recorded.
    """
    count = manifest.count_lines()
    threads = threads or _find_threads(vault.store if target is None else target.store)
    paced = PacedReport(report, PHASE)
    book = EvidenceBook(evidence_table, vault.store.identity)
    try:
        is_asked = target is None or not upload_all
        if is_asked:
            learn_promises(vault.store, stop=stop)
        guard = MarkGuard(vault, stop=stop) if is_asked else None  # before the listing, which it may have to disown
        presence = list_presence(vault.store, vault.prefix, count, stop=stop) if is_asked else None
        marks = ObjectMarks(journal, PHASE, vault.store.identity)
        reading = ObjectReading(vault.store, journal, stop=stop)
        looker = ContentLooker(vault, book, marks, reading, presence, stop, sure=True)
        work: LineWork
        if target is None:
            work = _VaultArchiving(vault, book, looker, marks, Uploader(vault.store, root, paced, stop))
        else:
            learn_promises(target.store, stop=stop)
            work = PathArchiving(
                vault, book, None if upload_all else looker.look, target,
                EvidenceBook(evidence_table, target.store.identity), marks,
                ObjectMarks(journal, PHASE, target.store.identity), Uploader(target.store, root, paced, stop), stop,
            )  # fmt: skip
        if guard is not None:
            work = GuardedWork(work, guard, looker.forget_listing)
        yield from run_lines(
            manifest, work, paced=paced, phase=PHASE, count=count, threads=threads, report=report, stop=stop
        )
    except (StorageUnavailable, AccessDenied, StorageFull) as error:
        error.hint = f"{error.hint.rstrip('.')}. {REPEAT}" if error.hint else REPEAT
        raise


def _find_threads(store: ObjectStore) -> int:
    return LOCAL_UPLOADERS if store.traits.atomic_rename is Support.YES else UPLOADERS


class _VaultArchiving(ContentWork):
    """Lines of one digest are done together: one look, at most one upload."""

    def __init__(
        self, vault: Vault, book: EvidenceBook, looker: ContentLooker, marks: ObjectMarks, uploader: Uploader
    ) -> None:
        super().__init__(vault, book, looker, marks)
        self._uploader = uploader

    def settle(self, lines: Sequence[ManifestLine], look: Look) -> Sequence[LineResult]:
        results = []
        for line in lines:
            result = self._settle(line, look)
            if result.outcome is Outcome.UPLOADED:
                look = Look(Outcome.HELD, look.key, result.evidence, result.size)
            results.append(result)
        return results

    def _settle(self, line: ManifestLine, look: Look) -> LineResult:
        if look.outcome is Outcome.ABSENT:
            return self._upload(line, look.key)
        if look.outcome is Outcome.DAMAGED:
            return from_look(line, look, self.vault.title)
        return already_there(line, look)._replace(earlier=self._marks.find_earlier(line, Outcome.UPLOADED))

    def _upload(self, line: ManifestLine, key: str) -> LineResult:
        try:
            result = self._uploader.upload(line, key)
        except ObjectExists:
            # Somebody else was faster, with the same digest; or the listing was older than the object.
            return self._meet(line, key)
        self._book.note(result.evidence)
        return result

    def _meet(self, line: ManifestLine, key: str) -> LineResult:
        try:
            look = self._looker.look_again(line.digest)
        except ArchiveError as error:
            if is_fatal(error, self.vault.store):
                raise
            return failed(line, error, key)
        if look.outcome is Outcome.ABSENT:
            return failed(line, _not_stored(line, key), key)
        return self._settle(line, look)


def _not_stored(line: ManifestLine, key: str) -> ObjectExists:
    return ObjectExists(
        f"Not stored: {escape_for_display(line.name)}: its place in the vault is taken, but by no object: {key}",
        key=key,
        hint="If somebody else archives the same at this moment, run the same again. If it stays so, look at that "
        "place of the storage: a folder may lie there.",
    )
