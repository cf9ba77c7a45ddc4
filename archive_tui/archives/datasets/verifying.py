"""Verifying a published version: its archive is read whole, every member is compared with the manifest, nothing is
left."""

from __future__ import annotations

import time

from archive_tui.archives.datasets.archive_reading import look_at_archive, read_archive
from archive_tui.archives.datasets.catalog import DatasetVersion, find_version
from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import HostileArchive, IntegrityError, InvalidName, ManifestError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.manifests.dataset_manifest import DatasetManifest
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.progress import Report, StopSignal, ignore, never

PHASE = "verify"
PROVEN = "the archive was read whole, every member unpacked and hashed"


def verify_version(
    store: ObjectStore,
    name: str,
    version: str = "latest",
    *,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal = no_journal,
) -> tuple[IntegrityReport, Evidence]:
    """Reads the stored archive once and checks every member against its manifest; leaves no files behind.

    A damaged, truncated or refused archive is a finding on the archive's own key. The evidence is RESTORED, or DAMAGED.
    With a `journal` it goes on where an earlier run has stopped, while size and version of the object are the same; the
    notes say so, and `bytes_read` is what this run has read. Damage is only told of what one run has read whole.

    Raises: ObjectNotFound, OperationStopped, and what the store raises when it cannot be read.
    """
    found = find_version(store, name, version)
    started = time.monotonic()
    info = store.info(found.key)
    try:
        archive = look_at_archive(store, found, info, stop=stop)
        kept = archive.begin_journal(journal, PHASE)
        if kept is not None:
            kept.load()
        reading = read_archive(archive, None, kept, report=report, stop=stop)
    except (HostileArchive, ManifestError, InvalidName, IntegrityError) as error:
        return _refused(found, info, store, str(error), time.monotonic() - started)
    findings, manifest = reading.findings, archive.manifest
    if kept is not None:
        kept.end(findings)
    proven = reading.say_how(PROVEN)
    result = IntegrityReport(
        subject=_subject(found, store),
        files_total=len(manifest.inventory),
        files_ok=len(manifest.inventory) - _failed_files(manifest, findings),
        bytes_total=manifest.inventory.total_bytes or reading.unpacked.inventory.total_bytes,
        bytes_read=reading.bytes_read,
        findings=findings,
        proven=proven,
        seconds=time.monotonic() - started,
        notes=reading.notes,
    )
    level = EvidenceLevel.DAMAGED if findings else EvidenceLevel.RESTORED
    return result, make_evidence(store, found.key, info, level, reading.unpacked.archive_digest, proven)


def _subject(version: DatasetVersion, store: ObjectStore) -> str:
    return f"{version.name} {version.version} in {store.label}"


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
    version: DatasetVersion, info: ObjectInfo, store: ObjectStore, reason: str, seconds: float
) -> tuple[IntegrityReport, Evidence]:
    finding = Finding(FindingKind.CHANGED, version.key, found_size=info.size, detail=reason)
    result = IntegrityReport(
        _subject(version, store), 1, 0, info.size, 0, (finding,), proven="nothing", seconds=seconds
    )
    return result, make_evidence(store, version.key, info, EvidenceLevel.DAMAGED, None, reason)


def _failed_files(manifest: DatasetManifest, findings: tuple[Finding, ...]) -> int:
    return sum(1 for finding in findings if finding.path in manifest.inventory)
