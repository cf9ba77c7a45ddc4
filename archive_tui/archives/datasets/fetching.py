"""Fetching a version: unpacked and verified in a stage beside the target, then moved there in one step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.datasets.archive_reading import (
    ArchiveReading,
    StoredArchive,
    look_at_archive,
    read_archive,
)
from archive_tui.archives.datasets.catalog import DatasetVersion, find_version
from archive_tui.archives.datasets.fetch_target import FetchTarget, TargetRules, choose_target
from archive_tui.archives.datasets.verifying import make_evidence
from archive_tui.conflicts import Resolve, keep_what_is_there
from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import HashError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding, IntegrityReport
from archive_tui.manifests.dataset_manifest import MANIFEST_NAME
from archive_tui.names.dataset_names import check_dataset_name
from archive_tui.objects.folder.atomic_file import LABEL
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.kept_stage import KeptStage, kept_stage
from archive_tui.objects.folder.swap import staged_folder, swap_folder
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.free_space import check_room
from archive_tui.progress import Notice, Report, StopSignal, ignore, never

if TYPE_CHECKING:
    from archive_tui.operations.unpacking.continuation import ArchiveJournal  # ctypes: for those who keep one

PHASE = "unpack"
SWAPPING = "swapping"
KEPT_FROM = 8 << 20
"""Bytes of an archive from which what was unpacked is worth keeping: less is fetched again sooner."""

PROVEN = "the archive was unpacked, every file hashed and compared with its manifest before it took its place"


@dataclass(frozen=True, slots=True)
class FetchReceipt:
    """`folder` holds the files now. `already_there`: it existed, nothing was fetched, and `report` is what looking at
    it found; `is_undecided`: so it is because `resolve` has answered that somebody has to decide. `bytes` counts the
    files' content. `evidence` is about the stored archive (None when it was not read)."""

    name: str
    version: str
    folder: Path
    files: int
    bytes: int
    already_there: bool
    report: IntegrityReport
    evidence: Evidence | None
    is_undecided: bool = False


def fetch_dataset(
    store: ObjectStore,
    name: str,
    version: str = "latest",
    *,
    into: Path,
    overwrite: bool = False,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal = no_journal,
    resolve: Resolve = keep_what_is_there,
) -> FetchReceipt:
    """Fetches a version to `into/NAME.VERSION`; nothing appears there before every file has been verified.

    An existing folder is verified and left as it is, or with `overwrite` replaced once the new one is proven. `resolve`
    is asked when it is not whole, or holds something else than the version: REPLACE does the same as `overwrite`,
    KEEP_BOTH fetches to `NAME.VERSION (2)`, ASK gives a receipt that says so.

    With a `journal` what was unpacked stays when it is stopped, when the storage is unavailable, or when the process
    dies, and a later run goes on there: every file is read again from the disk first. `remove_kept_stage` removes it.

    Raises: ObjectNotFound; IntegrityError (HostileArchive, ManifestError, HashError with its report), then nothing is
    left; TargetExists when a file is in the way; OperationStopped; what the store raises.
    """
    found = find_version(store, check_dataset_name(name), version)
    rules = TargetRules(overwrite, journal.load(SWAPPING) is not None, resolve, report, stop)
    target = choose_target(store, found, into, rules)
    if target.existing is not None:
        return _describe_existing(found, target, target.existing)
    started = time.monotonic()
    info = store.info(found.key)
    archive = look_at_archive(store, found, info, stop=stop)
    parent = target.path.parent
    kept = archive.begin_journal(journal, PHASE, str(parent)) if info.size >= KEPT_FROM else None
    if kept is None or not kept.can_save:
        check_room(parent, archive.structure.content_bytes)
    with _open_stage(parent, journal, kept) as stage:
        reading = _Unpacking(archive, stage, kept, report, stop).run()
        result = _check(archive, reading, time.monotonic() - started)
        if target.replaces and kept is not None:
            journal.save(SWAPPING, target.path.name.encode("ascii"), durable=True)
        swap_folder(stage.path, target.path, overwrite=target.replaces)
    if kept is not None:
        kept.forget()
    digest, proven = reading.unpacked.archive_digest, reading.say_how(PROVEN)
    evidence = make_evidence(store, found.key, info, EvidenceLevel.RESTORED, digest, proven)
    size = sum(entry.size or 0 for entry in reading.unpacked.inventory if entry.path != MANIFEST_NAME)
    files = len(archive.manifest.inventory)
    return FetchReceipt(found.name, found.version, target.path, files, size, False, result, evidence)


@contextmanager
def _open_stage(parent: Path, journal: Journal, kept: ArchiveJournal | None) -> Iterator[KeptStage]:
    """Gives a stage that stays between runs where going on with it is possible."""
    if kept is not None and kept.can_save:
        with kept_stage(parent, journal) as stage:
            yield stage
    else:
        with staged_folder(parent) as folder:
            yield KeptStage(folder, is_continued=False)


class _Unpacking:
    """One run over the archive, into a stage that may hold what an earlier one has unpacked."""

    def __init__(
        self, archive: StoredArchive, stage: KeptStage, kept: ArchiveJournal | None, report: Report, stop: StopSignal
    ) -> None:
        self._archive = archive
        self._stage = stage
        self._kept = kept
        self._report = report
        self._stop = stop

    def run(self) -> ArchiveReading:
        if self._kept is not None and self._kept.can_save:
            self._take_over(self._kept)
        return read_archive(
            self._archive,
            self._stage.path,
            self._kept,
            report=self._report,
            stop=self._stop,
            begin_anew=self._begin_anew,
        )

    def _take_over(self, kept: ArchiveJournal) -> None:
        """Goes on where the point of the journal and what lies in the stage agree; begins anew otherwise."""
        from archive_tui.operations.unpacking.stage_proof import prove_stage

        structure, path = self._archive.structure, self._stage.path
        done = 0
        with translate_os_errors(str(path), LABEL, writing=True):
            if self._stage.is_continued and kept.load() is not None:
                if prove_stage(path, structure, kept, report=self._report, stop=self._stop):
                    done = kept.done_bytes
                else:
                    self._report(Notice("What an earlier run has unpacked is not whole: it is unpacked again."))
        if not done:
            kept.forget()
            self._begin_anew()
        check_room(path.parent, structure.content_bytes - done)

    def _begin_anew(self) -> None:
        from archive_tui.operations.unpacking.stage_proof import clear_stage

        with translate_os_errors(str(self._stage.path), LABEL, writing=True):
            clear_stage(self._stage.path)


def _describe_existing(version: DatasetVersion, target: FetchTarget, existing: IntegrityReport) -> FetchReceipt:
    return FetchReceipt(
        version.name,
        version.version,
        target.path,
        existing.files_total,
        existing.bytes_total,
        True,
        existing,
        None,
        target.is_undecided,
    )


def _check(archive: StoredArchive, reading: ArchiveReading, seconds: float) -> IntegrityReport:
    """Raises: HashError with the report when anything was found."""
    version, manifest, findings = archive.version, archive.manifest, reading.findings
    result = IntegrityReport(
        subject=f"{version.name} {version.version} from {archive.store.label}",
        files_total=len(manifest.inventory),
        files_ok=len(manifest.inventory) - len([f for f in findings if f.path in manifest.inventory]),
        bytes_total=manifest.inventory.total_bytes or reading.unpacked.inventory.total_bytes,
        bytes_read=reading.bytes_read,
        findings=findings,
        proven=reading.say_how(PROVEN),
        seconds=seconds,
        notes=reading.notes,
    )
    if findings:
        raise HashError(
            f"{version.key} is damaged, nothing was fetched: {_describe(findings[0])}",
            report=result,
            hint=f"{len(findings)} finding(s); list them with: archive-tui dataset verify STORAGE {version.name}"
            f" --version {version.version}. Another version, or another copy, may be whole.",
            code="archive-damaged",
        )
    return result


def _describe(finding: Finding) -> str:
    detail = finding.detail or (f"expected {finding.expected}, found {finding.found}" if finding.found else "")
    return f"{finding.path} is {finding.kind}" + (f" ({detail})" if detail else "")
