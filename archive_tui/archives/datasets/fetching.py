"""Fetching a version: unpacked and verified in a stage beside the target, then moved there in one step."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasets.catalog import DatasetVersion, find_version
from archive_tui.archives.datasets.verifying import (
    compare_side_manifest,
    compare_with_manifest,
    make_evidence,
    read_inner_manifest,
)
from archive_tui.errors import HashError, ManifestError, TargetExists
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding, IntegrityReport
from archive_tui.manifests.dataset_manifest import MANIFEST_NAME, DatasetManifest
from archive_tui.names.dataset_names import check_dataset_name
from archive_tui.objects.folder.swap import finish_interrupted_swap, staged_folder, swap_folder
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.free_space import check_room
from archive_tui.operations.unpacking.archive import UnpackedArchive, unpack_archive
from archive_tui.operations.unpacking.structure import read_archive_structure
from archive_tui.operations.verifying import verify_folder
from archive_tui.progress import Report, StopSignal, ignore, never

PROVEN = "the archive was unpacked, every file hashed and compared with its manifest before it took its place"


@dataclass(frozen=True, slots=True)
class FetchReceipt:
    """`folder` holds the files now. `already_there`: it existed, nothing was fetched, and `report` is what looking at
    it found. `bytes` counts the files' content. `evidence` is about the stored archive (None when it was not read)."""

    name: str
    version: str
    folder: Path
    files: int
    bytes: int
    already_there: bool
    report: IntegrityReport
    evidence: Evidence | None


def fetch_dataset(
    store: ObjectStore,
    name: str,
    version: str = "latest",
    *,
    into: Path,
    overwrite: bool = False,
    report: Report = ignore,
    stop: StopSignal = never,
) -> FetchReceipt:
    """Fetches a version to `into/NAME.VERSION`; nothing appears there before every file has been verified.

    An existing folder is verified and left as it is, or with `overwrite` replaced once the new one is proven.

    Raises: ObjectNotFound; IntegrityError (HostileArchive, ManifestError, HashError with its report), then nothing is
    left; TargetExists when a file is in the way; OperationStopped; what the store raises.
    """
    found = find_version(store, check_dataset_name(name), version)
    target = into / f"{found.name}.{found.version}"
    finish_interrupted_swap(target)
    if target.exists() or target.is_symlink():
        if not target.is_dir() or target.is_symlink():
            raise TargetExists(f"Not a folder, and in the way: {target}", hint="Move it away, or fetch elsewhere.")
        if not overwrite:
            return _existing(found, target, report, stop)
    started = time.monotonic()
    info = store.info(found.key)
    structure = read_archive_structure(store, found.key, info, stop=stop)
    manifest = read_inner_manifest(store, found.key, structure)
    check_room(target.parent, structure.content_bytes)
    with staged_folder(target.parent) as stage:
        unpacked = unpack_archive(store, found.key, stage, structure=structure, report=report, stop=stop)
        result = _check(store, found, manifest, unpacked, time.monotonic() - started)
        swap_folder(stage, target, overwrite=overwrite)
    evidence = make_evidence(store, found.key, info, EvidenceLevel.RESTORED, unpacked.archive_digest, PROVEN)
    size = sum(entry.size or 0 for entry in unpacked.inventory if entry.path != MANIFEST_NAME)
    return FetchReceipt(found.name, found.version, target, len(manifest.inventory), size, False, result, evidence)


def _existing(version: DatasetVersion, target: Path, report: Report, stop: StopSignal) -> FetchReceipt:
    try:
        result = verify_folder(target, report=report, stop=stop)
    except ManifestError as error:
        raise TargetExists(
            f"A folder without a usable manifest is in the way: {target}",
            hint="Move it away, fetch elsewhere with --to, or replace it with --overwrite.",
        ) from error
    return FetchReceipt(
        version.name, version.version, target, result.files_total, result.bytes_total, True, result, None
    )


def _check(
    store: ObjectStore, version: DatasetVersion, manifest: DatasetManifest, unpacked: UnpackedArchive, seconds: float
) -> IntegrityReport:
    findings = (*compare_with_manifest(manifest, unpacked), *compare_side_manifest(store, version, manifest, unpacked))
    result = IntegrityReport(
        subject=f"{version.name} {version.version} from {store.label}",
        files_total=len(manifest.inventory),
        files_ok=len(manifest.inventory) - len([f for f in findings if f.path in manifest.inventory]),
        bytes_total=manifest.inventory.total_bytes or unpacked.inventory.total_bytes,
        bytes_read=unpacked.archive_size,
        findings=findings,
        proven=PROVEN,
        seconds=seconds,
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
