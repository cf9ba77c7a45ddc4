"""Reading a stored archive whole, going on where an earlier run of the same job has stopped.

Whatever is found wrong after going on is not believed: the archive is read from its beginning once more, and only what
is found then is said.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.datasets.catalog import DatasetVersion, read_side_manifest
from archive_tui.continuation import Journal
from archive_tui.errors import IntegrityError, InvalidName, ManifestError, ObjectNotFound
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.manifests.dataset_manifest import MANIFEST_NAME, DatasetManifest, parse_dataset_manifest
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.operations.earlier_runs import format_moment
from archive_tui.operations.unpacking.archive import UnpackedArchive, unpack_archive
from archive_tui.operations.unpacking.manifest_member import read_manifest_member
from archive_tui.operations.unpacking.structure import ArchiveStructure, read_archive_structure
from archive_tui.progress import Notice, Report, StopSignal

if TYPE_CHECKING:
    from archive_tui.operations.unpacking.continuation import ArchiveJournal  # ctypes: for those who keep one


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """An archive as far as it is known before it is read whole: its structure has been checked."""

    store: ObjectStore
    version: DatasetVersion
    info: ObjectInfo
    structure: ArchiveStructure
    manifest_content: bytes
    manifest: DatasetManifest

    def begin_journal(self, journal: Journal, phase: str, place: str = "") -> ArchiveJournal | None:
        """Returns what is written down while it is read to `place` (empty: nowhere); None when nothing is to be, or
        nothing tells one content of the object from another."""
        if not journal.is_kept or self.info.version is None:
            return None
        from archive_tui.operations.unpacking.continuation import ArchiveJournal

        stamp = f"{self.store.identity} {self.version.key} {self.info.version} {place}"
        return ArchiveJournal(journal, phase, stamp, self.structure, self.manifest.inventory, self.manifest_content)


@dataclass(frozen=True, slots=True)
class ArchiveReading:
    """`earlier_bytes` of the archive were read in an earlier run, until `earlier_at` (seconds since the epoch)."""

    unpacked: UnpackedArchive
    findings: tuple[Finding, ...]
    earlier_bytes: int = 0
    earlier_at: float = 0.0

    @property
    def bytes_read(self) -> int:
        return self.unpacked.archive_size - self.earlier_bytes

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.earlier_bytes:
            return ()
        return (
            f"The first {self.earlier_bytes:,} bytes of the archive were read earlier in this job, until"
            f" {format_moment(self.earlier_at)}; its size and version are the same since.",
        )

    def say_how(self, proven: str) -> str:
        """Returns `proven` with what it rests on."""
        return f"{proven}; {self.earlier_bytes:,} bytes of it in an earlier run" if self.earlier_bytes else proven


def look_at_archive(
    store: ObjectStore, version: DatasetVersion, info: ObjectInfo, *, stop: StopSignal
) -> StoredArchive:
    """Reads and checks the structure, and the manifest in it.

    Raises: HostileArchive, ManifestError, IntegrityError; what the store raises.
    """
    structure = read_archive_structure(store, version.key, info, stop=stop)
    content = read_manifest_member(store, version.key, structure=structure)
    manifest = parse_dataset_manifest(content, where=f"{version.key}:{MANIFEST_NAME}")
    return StoredArchive(store, version, info, structure, content, manifest)


def read_archive(
    archive: StoredArchive,
    into: Path | None,
    journal: ArchiveJournal | None,
    *,
    report: Report,
    stop: StopSignal,
    begin_anew: Callable[[], None] = lambda: None,
) -> ArchiveReading:
    """Unpacks the archive to `into` (None: nowhere) and compares it with its manifests.

    `begin_anew` empties `into` when what was gone on with turns out wrong.

    Raises: HostileArchive, ManifestError, InvalidName, IntegrityError; what the store raises; OperationStopped.
    """
    point = None if journal is None else journal.point
    if point is not None and journal is not None:
        try:
            unpacked = _unpack(archive, into, journal, report, stop)
            findings = compare_archive(archive, unpacked)
            if not findings:
                return ArchiveReading(unpacked, findings, point.hashed, point.at)
        except (IntegrityError, ManifestError, InvalidName):
            pass
        report(Notice("What an earlier run has left cannot be gone on with: the archive is read from its beginning."))
        journal.forget()
        begin_anew()
    unpacked = _unpack(archive, into, journal, report, stop)
    return ArchiveReading(unpacked, compare_archive(archive, unpacked))


def _unpack(
    archive: StoredArchive, into: Path | None, journal: ArchiveJournal | None, report: Report, stop: StopSignal
) -> UnpackedArchive:
    return unpack_archive(
        archive.store,
        archive.version.key,
        into,
        structure=archive.structure,
        report=report,
        stop=stop,
        journal=journal,
    )


def compare_archive(archive: StoredArchive, unpacked: UnpackedArchive) -> tuple[Finding, ...]:
    """Returns what the two manifests, the one in the archive and the one beside it, say against what was unpacked."""
    return (*compare_with_manifest(archive.manifest, unpacked), *_compare_side_manifest(archive, unpacked))


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


def _compare_side_manifest(archive: StoredArchive, unpacked: UnpackedArchive) -> tuple[Finding, ...]:
    """Returns findings where the manifest beside the archive contradicts the archive; its absence is none."""
    version = archive.version
    if version.manifest_key is None:
        return ()
    try:
        side = read_side_manifest(archive.store, version.manifest_key)
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
    if not _same_digests(side.inventory, archive.manifest.inventory):
        detail = "The manifest beside the archive lists other content than the one inside."
        return (Finding(FindingKind.CHANGED, version.manifest_key, detail=detail),)
    return ()


def _same_digests(one: Inventory, other: Inventory) -> bool:
    return {entry.path: entry.digest for entry in one} == {entry.path: entry.digest for entry in other}
