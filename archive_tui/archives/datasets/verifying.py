"""Verifying a published version: its archive is read whole, every member is compared with the manifest, nothing is
left."""

from __future__ import annotations

import dataclasses
import time

from archive_tui.archives.datasets.catalog import DatasetVersion, find_version, read_side_manifest
from archive_tui.errors import HostileArchive, IntegrityError, InvalidName, ManifestError, ObjectNotFound
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.manifests.dataset_manifest import MANIFEST_NAME, DatasetManifest, parse_dataset_manifest
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.operations.unpacking.archive import UnpackedArchive, unpack_archive
from archive_tui.operations.unpacking.manifest_member import read_manifest_member
from archive_tui.operations.unpacking.structure import ArchiveStructure, read_archive_structure
from archive_tui.progress import Report, StopSignal, ignore, never

PROVEN = "the archive was read whole, every member unpacked and hashed"


def verify_version(
    store: ObjectStore, name: str, version: str = "latest", *, report: Report = ignore, stop: StopSignal = never
) -> tuple[IntegrityReport, Evidence]:
    """Reads the stored archive once and checks every member against its manifest; leaves no files behind.

    A damaged, truncated or refused archive is a finding on the archive's own key. The evidence is RESTORED, or DAMAGED.

    Raises: ObjectNotFound, OperationStopped, and what the store raises when it cannot be read.
    """
    found = find_version(store, name, version)
    started = time.monotonic()
    subject = f"{found.name} {found.version} in {store.label}"
    info = store.info(found.key)
    try:
        structure = read_archive_structure(store, found.key, info, stop=stop)
        manifest = read_inner_manifest(store, found.key, structure)
        unpacked = unpack_archive(store, found.key, None, structure=structure, report=report, stop=stop)
    except (HostileArchive, ManifestError, InvalidName, IntegrityError) as error:
        return _refused(subject, found, info, store, str(error), time.monotonic() - started)
    findings = (*compare_with_manifest(manifest, unpacked), *compare_side_manifest(store, found, manifest, unpacked))
    result = IntegrityReport(
        subject=subject,
        files_total=len(manifest.inventory),
        files_ok=len(manifest.inventory) - _failed_files(manifest, findings),
        bytes_total=manifest.inventory.total_bytes or unpacked.inventory.total_bytes,
        bytes_read=unpacked.archive_size,
        findings=findings,
        proven=PROVEN,
        seconds=time.monotonic() - started,
    )
    level = EvidenceLevel.DAMAGED if findings else EvidenceLevel.RESTORED
    return result, make_evidence(store, found.key, info, level, unpacked.archive_digest, PROVEN)


def read_inner_manifest(store: ObjectStore, key: str, structure: ArchiveStructure) -> DatasetManifest:
    """Reads the manifest inside an archive whose structure has been checked."""
    return parse_dataset_manifest(read_manifest_member(store, key, structure=structure), where=f"{key}:{MANIFEST_NAME}")


def compare_with_manifest(manifest: DatasetManifest, unpacked: UnpackedArchive) -> tuple[Finding, ...]:
    """Returns what is damaged, changed, missing or extra among the members, sorted by path."""
    findings = {finding.path: _with_expectation(finding, manifest) for finding in unpacked.damaged}
    inventory = unpacked.inventory
    for entry in manifest.inventory:
        if entry.path in findings:
            continue
        member = inventory.get(entry.path)
        if member is None:
            findings[entry.path] = Finding(
                FindingKind.MISSING, entry.path, expected=entry.digest, expected_size=entry.size
            )
        elif member.digest != entry.digest or (entry.size is not None and member.size != entry.size):
            findings[entry.path] = Finding(
                FindingKind.CHANGED, entry.path, entry.digest, member.digest, entry.size, member.size
            )
    for member in inventory:
        if member.path != MANIFEST_NAME and member.path not in manifest.inventory and member.path not in findings:
            findings[member.path] = Finding(FindingKind.EXTRA, member.path, found=member.digest, found_size=member.size)
    return tuple(findings[path] for path in sorted(findings))


def _with_expectation(damaged: Finding, manifest: DatasetManifest) -> Finding:
    """A member that could not be unpacked, with what the manifest says that it should have been."""
    entry = manifest.inventory.get(damaged.path)
    if entry is None:
        return damaged
    return dataclasses.replace(damaged, expected=entry.digest, expected_size=entry.size or damaged.expected_size)


def compare_side_manifest(
    store: ObjectStore, version: DatasetVersion, inner: DatasetManifest, unpacked: UnpackedArchive
) -> tuple[Finding, ...]:
    """Returns findings where the manifest beside the archive contradicts the archive; its absence is none."""
    if version.manifest_key is None:
        return ()
    try:
        side = read_side_manifest(store, version.manifest_key)
    except ObjectNotFound:
        return ()
    except ManifestError as error:
        return (Finding(FindingKind.CHANGED, version.manifest_key, detail=str(error)),)
    if side.archive is not None and side.archive.digest != unpacked.archive_digest:
        return (
            Finding(
                FindingKind.CHANGED,
                version.key,
                side.archive.digest,
                unpacked.archive_digest,
                side.archive.size,
                unpacked.archive_size,
                detail="The archive is not the one that the manifest beside it was written for.",
            ),
        )
    if not _same_digests(side.inventory, inner.inventory):
        detail = "The manifest beside the archive lists other content than the one inside."
        return (Finding(FindingKind.CHANGED, version.manifest_key, detail=detail),)
    return ()


def make_evidence(
    store: ObjectStore, key: str, info: ObjectInfo, level: EvidenceLevel, digest: str | None, method: str
) -> Evidence:
    return Evidence(
        store=store.identity,
        key=key,
        level=level,
        digest=digest,
        size=info.size,
        checked_at=time.time(),
        method=method,
        version=info.version,
    )


def _refused(
    subject: str, version: DatasetVersion, info: ObjectInfo, store: ObjectStore, reason: str, seconds: float
) -> tuple[IntegrityReport, Evidence]:
    finding = Finding(FindingKind.CHANGED, version.key, found_size=info.size, detail=reason)
    result = IntegrityReport(subject, 1, 0, info.size, 0, (finding,), proven="nothing", seconds=seconds)
    return result, make_evidence(store, version.key, info, EvidenceLevel.DAMAGED, None, reason)


def _failed_files(manifest: DatasetManifest, findings: tuple[Finding, ...]) -> int:
    return sum(1 for finding in findings if finding.path in manifest.inventory)


def _same_digests(one: Inventory, other: Inventory) -> bool:
    return {entry.path: entry.digest for entry in one} == {entry.path: entry.digest for entry in other}
