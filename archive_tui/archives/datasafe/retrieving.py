"""Retrieving a dataset: unpacked and verified in a stage beside its folder, then moved there in one step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.datasafe.held_dataset import HeldDataset, look_at_held, unless_updated
from archive_tui.archives.datasafe.manifest_check import FileDigests
from archive_tui.archives.datasafe.retrieval_target import (
    PROVEN,
    RetrievalRules,
    RetrievalTarget,
    choose_retrieval_target,
    make_report,
)
from archive_tui.archives.datasafe.safe import Safe
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.archives.datasafe.verifying import OTHER_ARCHIVE
from archive_tui.conflicts import Resolve, keep_what_is_there
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import HashError, IntegrityError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding, IntegrityReport
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE
from archive_tui.objects.folder.atomic_file import LABEL
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.kept_stage import KeptStage, kept_stage
from archive_tui.objects.folder.swap import staged_folder, swap_folder
from archive_tui.operations.earlier_runs import format_moment
from archive_tui.operations.free_space import check_room
from archive_tui.operations.unpacking.archive import UnpackedArchive, unpack_archive
from archive_tui.progress import Notice, Report, StopSignal, ignore, never

if TYPE_CHECKING:
    from archive_tui.operations.unpacking.continuation import ArchiveJournal  # ctypes: for those who keep one

PHASE = "unpack"
SWAPPING = "swapping"
KEPT_FROM = 8 << 20
"""Bytes of an archive from which what was unpacked is worth keeping: less is retrieved again sooner."""

METHOD = "The archive was unpacked, every file hashed and compared with its manifest before it took its place."


@dataclass(frozen=True, slots=True)
class RetrievalReceipt:
    """`folder` holds the dataset; `files` and `bytes` count what is in it, the manifest included. `already_there`: the
    folder was there and nothing was written. `is_undecided`: another folder is in the way, and somebody has to
    decide."""

    loi: str
    folder: Path
    files: int
    bytes: int
    already_there: bool
    report: IntegrityReport
    evidence: Evidence | None
    is_undecided: bool = False


def folder_name(loi: str, old: int | None = None) -> str:
    """The name of the folder that a dataset is retrieved to: `exp-sa-42-cwepr-1`."""
    name = loi.partition("/ds/")[2].replace("/", "-") or loi.replace("/", "-")
    return name if old is None else f"{name}.old-{old}"


def retrieve_dataset(
    safe: Safe,
    loi: str,
    *,
    into: Path,
    name: str = "",
    old: int | None = None,
    overwrite: bool = False,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal = no_journal,
    resolve: Resolve = keep_what_is_there,
) -> RetrievalReceipt:
    """Retrieves the dataset of a LOI to `into/NAME`; nothing appears there before every file has been verified.

    An existing folder is compared with the dataset and left as it is, or with `overwrite` replaced once the new one is
    proven. `resolve` is asked when it is another one: REPLACE does the same as `overwrite`, KEEP_BOTH retrieves to
    `NAME (2)`, ASK gives a receipt that says so.

    With a `journal` what was unpacked stays when it is stopped, when the datasafe is unavailable, or when the process
    dies, and a later run goes on there: every file is read again from the disk first. `remove_kept_stage` removes it.

    Raises: LoiNotFoundError, MissingContentError; HostileArchive, ManifestError; HashError with its report, then
    nothing is left; StorageUnavailable also when the dataset is updated meanwhile; TargetExists when a file is in the
    way; OperationStopped; what the safe raises.
    """
    held = look_at_held(safe, loi, old, stop=stop)
    rules = RetrievalRules(overwrite, journal.load(SWAPPING) is not None, resolve, report, stop)
    target = choose_retrieval_target(held, into / (name or folder_name(loi, old)), rules)
    if target.existing is not None:
        found = target.existing
        return RetrievalReceipt(
            loi, target.path, found.files_total, found.bytes_total, True, found, None, target.is_undecided
        )
    kept = _begin_journal(held, safe.identity, journal, target.path.parent)
    with unless_updated(safe, loi, held.archive, old):
        return _retrieve(held, target, safe.identity, journal, kept, report, stop)


def _begin_journal(held: HeldDataset, identity: str, journal: Journal, parent: Path) -> ArchiveJournal | None:
    """None: nothing is to be written down, or nothing tells one content of the archive from another."""
    archive = held.archive
    if not journal.is_kept or archive.digest is None or archive.size < KEPT_FROM:
        return None
    from archive_tui.operations.unpacking.continuation import ArchiveJournal

    stamp = f"{identity} {archive.key} {archive.digest} {parent}"
    kept = ArchiveJournal(
        journal, PHASE, stamp, held.structure, held.expected(), held.manifest_content, manifest_name=MANIFEST_FILE
    )
    return kept if kept.can_save else None


def _retrieve(
    held: HeldDataset,
    target: RetrievalTarget,
    identity: str,
    journal: Journal,
    kept: ArchiveJournal | None,
    report: Report,
    stop: StopSignal,
) -> RetrievalReceipt:
    started, parent = time.monotonic(), target.path.parent
    with _open_stage(parent, journal, kept) as stage:
        retrieval = _Retrieval(held, stage, kept, report, stop)
        retrieval.run()
        result = retrieval.check(started)
        if target.replaces and kept is not None:
            journal.save(SWAPPING, target.path.name.encode(), durable=True)
        swap_folder(stage.path, target.path, overwrite=target.replaces)
    if kept is not None:
        kept.forget()
    else:
        _mark_files(journal, retrieval.digests)
    files = retrieval.digests
    evidence = retrieval.make_evidence(identity)
    size = sum(file.size for file in files)
    return RetrievalReceipt(held.loi, target.path, len(files), size, False, result, evidence)


@contextmanager
def _open_stage(parent: Path, journal: Journal, kept: ArchiveJournal | None) -> Iterator[KeptStage]:
    """Gives a stage that stays between runs where going on with it is possible."""
    if kept is not None:
        with kept_stage(parent, journal) as stage:
            yield stage
    else:
        with staged_folder(parent) as folder:
            yield KeptStage(folder, is_continued=False)


class _Retrieval:
    """One run over the archive, into a stage that may hold what an earlier one has unpacked."""

    def __init__(
        self, held: HeldDataset, stage: KeptStage, kept: ArchiveJournal | None, report: Report, stop: StopSignal
    ) -> None:
        self._held = held
        self._stage = stage
        self._kept = kept
        self._report = report
        self._stop = stop
        self._earlier = ""
        self._unpacked: UnpackedArchive | None = None
        self.digests: list[FileDigests] = []
        self._findings: tuple[Finding, ...] = ()

    def run(self) -> None:
        """Unpacks and judges. What is found wrong after going on is not believed: it is begun anew then."""
        done = self._take_over()
        check_room(self._stage.path.parent, self._held.structure.content_bytes - done)
        point = None if self._kept is None else self._kept.point
        if point is not None:
            try:
                self._read()
                if not self._findings:
                    self._earlier = (
                        f"The first {point.hashed:,} bytes of the archive were read earlier in this job, until"
                        f" {format_moment(point.at)}; what they gave was read again from the disk."
                    )
                    return
            except IntegrityError:
                pass
            self._report(Notice("What an earlier run has left cannot be gone on with: it is begun anew."))
            self._begin_anew()
        self._read()

    def check(self, started: float) -> IntegrityReport:
        """Raises: HashError with the report when anything was found."""
        result = make_report(self._held.loi, self._held, self.digests, self._findings, started, PROVEN)
        if self._findings:
            raise HashError(
                f"The dataset is damaged, and nothing was retrieved: {result.sentence}",
                report=result,
                hint="Verify it in the datasafe; an old version may be whole.",
            )
        notes = [self._earlier, "" if self._is_same_archive else OTHER_ARCHIVE]
        return replace(result, notes=tuple(note for note in notes if note))

    def make_evidence(self, identity: str) -> Evidence:
        assert self._unpacked is not None, "run() has unpacked it"
        is_same, digest = self._is_same_archive, self._unpacked.archive_digest
        level = EvidenceLevel.RESTORED if is_same else EvidenceLevel.DAMAGED
        size, now = self._unpacked.archive_size, time.time()
        return Evidence(identity, self._held.loi, level, digest, size, now, METHOD if is_same else OTHER_ARCHIVE)

    @property
    def _is_same_archive(self) -> bool:
        return self._unpacked is not None and self._held.archive.digest in (None, self._unpacked.archive_digest)

    def _read(self) -> None:
        held, stage = self._held, self._stage.path
        self._unpacked = unpack_archive(
            held.archive.store,
            held.archive.key,
            stage,
            structure=held.structure,
            report=self._report,
            stop=self._stop,
            journal=self._kept,
            manifest_name=MANIFEST_FILE,
        )
        damaged = {finding.path: finding for finding in self._unpacked.damaged}
        there = [name for name in held.names if name not in damaged]
        with translate_os_errors(str(stage), LABEL):
            self.digests, _ = hash_files(stage, there, held.algorithm, report=self._report, stop=self._stop)
        self._findings = held.judge(self.digests, damaged.values())

    def _take_over(self) -> int:
        """Goes on where the point of the journal and what lies in the stage agree; returns the bytes that are done."""
        kept, path = self._kept, self._stage.path
        if kept is None:
            return 0
        from archive_tui.operations.unpacking.stage_proof import prove_stage

        with translate_os_errors(str(path), LABEL, writing=True):
            if self._stage.is_continued and kept.load() is not None:
                if prove_stage(path, self._held.structure, kept, report=self._report, stop=self._stop):
                    return kept.done_bytes
                self._report(Notice("What an earlier run has unpacked is not whole: it is unpacked again."))
        self._begin_anew()
        return 0

    def _begin_anew(self) -> None:
        from archive_tui.operations.unpacking.stage_proof import clear_stage

        if self._kept is not None:
            self._kept.forget()
        with translate_os_errors(str(self._stage.path), LABEL, writing=True):
            clear_stage(self._stage.path)


def _mark_files(journal: Journal, digests: list[FileDigests]) -> None:
    if journal.is_kept:
        journal.record(
            PHASE,
            (ItemMark(file.path, "same", digest=file.sha256, size=file.size, evidence="restored") for file in digests),
        )
