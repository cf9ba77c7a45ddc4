"""Retrieving a dataset: unpacked and verified in a stage beside its folder, then moved there in one step."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasafe.folder_places import list_files
from archive_tui.archives.datasafe.manifest_check import FileDigests, check_algorithm, check_manifest
from archive_tui.archives.datasafe.receiving import describe_check
from archive_tui.archives.datasafe.safe import DatasetDescription, Safe, StoredArchive
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.conflicts import Conflict, ConflictRule, Resolve, keep_what_is_there
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import HashError, TargetExists
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport, Verdict
from archive_tui.manifests.datasafe_manifest import ALGORITHM, MANIFEST_FILE, parse_datasafe_manifest
from archive_tui.names.quantities import format_size
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.swap import finish_interrupted_swap, staged_folder, swap_folder
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.operations.free_space import check_room
from archive_tui.operations.unpacking.archive import unpack_archive
from archive_tui.operations.unpacking.structure import read_archive_structure
from archive_tui.progress import Report, StopSignal, ignore, never

PHASE = "unpack"
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

    Raises: LoiNotFoundError, MissingContentError; HostileArchive, ManifestError; HashError with its report, then
    nothing is left; TargetExists when a file is in the way; OperationStopped; what the safe raises.
    """
    archive = safe.archive(loi, old=old)
    described = safe.describe(loi) if old is None else None
    first = into / (name or folder_name(loi, old))
    retrieval = _Retrieval(loi, archive, described, report, stop)
    finish_interrupted_swap(first)
    target, replaces = first, overwrite
    if _is_there(first) and not overwrite:
        found = retrieval.look_at(first)
        if found.verdict is Verdict.VERIFIED or resolve is keep_what_is_there:
            return retrieval.describe_existing(first, found)
        match resolve(_describe_conflict(first, found, archive)):
            case ConflictRule.REPLACE:
                replaces = True
            case ConflictRule.KEEP_BOTH:
                target = next(path for path in _other_names(first) if not _is_there(path))
            case ConflictRule.ASK:
                return retrieval.describe_existing(first, found, is_undecided=True)
            case _:
                return retrieval.describe_existing(first, found)
    return retrieval.fetch(target, safe.identity, replaces=replaces, journal=journal)


class _Retrieval:
    def __init__(
        self,
        loi: str,
        archive: StoredArchive,
        described: DatasetDescription | None,
        report: Report,
        stop: StopSignal,
    ) -> None:
        self._loi = loi
        self._archive = archive
        self._expected = None if described is None else described.inventory
        self._report = report
        self._stop = stop

    def look_at(self, folder: Path) -> IntegrityReport:
        """Compares a folder that is there with the dataset.

        Raises: TargetExists when it is no folder.
        """
        if folder.is_symlink() or not folder.is_dir():
            raise TargetExists(f"Not a folder, and in the way: {folder}", hint="Move it away, or retrieve elsewhere.")
        started = time.monotonic()
        with translate_os_errors(str(folder), f"folder {folder}"):
            names = [name for name, _ in list_files(folder)]
            manifest_file = folder / MANIFEST_FILE
            content = manifest_file.read_bytes() if manifest_file.is_file() else None
            manifest = None if content is None else parse_datasafe_manifest(content)
            algorithm = ALGORITHM if manifest is None else check_algorithm(manifest)
            digests, _ = hash_files(folder, names, algorithm, report=self._report, stop=self._stop)
        findings = list(_compare(self._expected, digests))
        if manifest is None:
            findings.append(Finding(FindingKind.MISSING, MANIFEST_FILE))
        elif not findings:
            findings += describe_check(check_manifest(manifest, digests))
        return _make_report(str(folder), digests, findings, started)

    def describe_existing(
        self, folder: Path, found: IntegrityReport, *, is_undecided: bool = False
    ) -> RetrievalReceipt:
        return RetrievalReceipt(
            self._loi, folder, found.files_total, found.bytes_total, True, found, None, is_undecided
        )

    def fetch(self, target: Path, identity: str, *, replaces: bool, journal: Journal) -> RetrievalReceipt:
        started, archive = time.monotonic(), self._archive
        info = ObjectInfo(archive.key, archive.size)
        structure = read_archive_structure(archive.store, archive.key, info, stop=self._stop)
        check_room(target.parent, structure.content_bytes)
        with staged_folder(target.parent) as stage:
            unpacked = unpack_archive(
                archive.store,
                archive.key,
                stage,
                structure=structure,
                report=self._report,
                stop=self._stop,
                manifest_name=MANIFEST_FILE,
            )
            manifest = parse_datasafe_manifest(unpacked.manifest or b"")
            with translate_os_errors(str(target), f"folder {target.parent}"):
                names = [member.path for member in structure.members if not member.is_folder]
                there = [name for name in names if (stage / name).is_file()]
                algorithm = check_algorithm(manifest)
                digests, _ = hash_files(stage, there, algorithm, report=self._report, stop=self._stop)
            findings = [*unpacked.damaged, *_compare(self._expected, digests)]
            known = {finding.path for finding in findings}
            findings += [each for each in describe_check(check_manifest(manifest, digests)) if each.path not in known]
            result = _make_report(self._loi, digests, findings, started)
            if findings:
                raise HashError(
                    f"The dataset is damaged, and nothing was retrieved: {result.sentence}",
                    report=result,
                    hint="Verify it in the datasafe; an old version may be whole.",
                )
            swap_folder(stage, target, overwrite=replaces)
        _mark_files(journal, digests)
        evidence = Evidence(
            identity,
            self._loi,
            EvidenceLevel.RESTORED,
            unpacked.archive_digest,
            unpacked.archive_size,
            time.time(),
            METHOD,
        )
        size = sum(file.size for file in digests)
        return RetrievalReceipt(self._loi, target, len(digests), size, False, result, evidence)


def _compare(expected: Inventory | None, digests: list[FileDigests]) -> list[Finding]:
    if expected is None or not len(expected):
        return []
    found = {file.path: file for file in digests}
    findings = [
        Finding(FindingKind.MISSING, entry.path, entry.digest, expected_size=entry.size)
        for entry in expected
        if entry.path not in found
    ]
    for file in digests:
        entry = expected.get(file.path)
        if entry is None:
            findings.append(Finding(FindingKind.EXTRA, file.path, found=file.sha256, found_size=file.size))
        elif entry.digest is not None and entry.digest != file.sha256:
            findings.append(Finding(FindingKind.CHANGED, file.path, entry.digest, file.sha256, entry.size, file.size))
    return findings


def _make_report(subject: str, digests: list[FileDigests], findings: list[Finding], started: float) -> IntegrityReport:
    size = sum(file.size for file in digests)
    missing = sum(finding.kind is FindingKind.MISSING for finding in findings)
    extra = sum(finding.kind is FindingKind.EXTRA for finding in findings)
    total = len(digests) + missing - extra
    return IntegrityReport(
        subject=subject,
        files_total=total,
        files_ok=max(0, total - (len(findings) - extra)),
        bytes_total=size,
        bytes_read=size,
        findings=tuple(findings),
        proven="the archive was unpacked, every file hashed and compared with its manifest before it took its place",
        seconds=time.monotonic() - started,
    )


def _mark_files(journal: Journal, digests: list[FileDigests]) -> None:
    if journal.is_kept:
        journal.record(
            PHASE,
            (ItemMark(file.path, "same", digest=file.sha256, size=file.size, evidence="restored") for file in digests),
        )


def _describe_conflict(folder: Path, found: IntegrityReport, archive: StoredArchive) -> Conflict:
    return Conflict(folder.name, str(folder), found.sentence, f"a dataset of {format_size(archive.size)}")


def _other_names(first: Path) -> list[Path]:
    return [first.with_name(f"{first.name} ({number})") for number in range(2, 1000)]


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
