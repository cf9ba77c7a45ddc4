"""A dataset of a datasafe before it is read whole: its archive, the structure, the manifest, and what was recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from archive_tui.archives.datasafe.manifest_check import FileDigests, check_algorithm, check_manifest
from archive_tui.archives.datasafe.receiving import describe_check
from archive_tui.archives.datasafe.safe import Safe, StoredArchive
from archive_tui.errors import IntegrityError, ObjectNotFound, SourceChanged, StorageError, StorageUnavailable
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE, DatasafeManifest, parse_datasafe_manifest
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.operations.unpacking.manifest_member import read_manifest_member
from archive_tui.operations.unpacking.structure import ArchiveStructure, read_archive_structure
from archive_tui.progress import StopSignal, never

LOOKS = 3
"""So many times the two answers of a datasafe about one LOI may belong to different contents."""


@dataclass(frozen=True, slots=True)
class HeldDataset:
    """`recorded` lists what was written down at the deposit; empty: nothing that this safe would tell."""

    loi: str
    archive: StoredArchive
    recorded: Inventory
    structure: ArchiveStructure
    manifest_content: bytes
    manifest: DatasafeManifest

    @property
    def algorithm(self) -> str:
        """Of the manifest's checksums. Raises: ManifestError when this machine does not know it."""
        return check_algorithm(self.manifest)

    @property
    def names(self) -> list[str]:
        """All files in the archive, MANIFEST.yaml among them."""
        return [member.path for member in self.structure.members if not member.is_folder]

    def expected(self) -> Inventory:
        """The files in the archive with the digests that somebody has written down; None for those of no one."""
        own = hashlib.sha256(self.manifest_content).hexdigest()
        return Inventory(
            Entry(member.path, member.size, own if member.path == MANIFEST_FILE else self._digest(member.path))
            for member in self.structure.members
            if not member.is_folder
        )

    def judge(self, files: Sequence[FileDigests], damaged: Iterable[Finding] = ()) -> tuple[Finding, ...]:
        """Returns what is wrong with these files: each of them once, the checksums over several only when no file is.
        `damaged` are findings that are known already."""
        findings = {finding.path: finding for finding in damaged}
        for finding in (*compare_files(self.recorded, files), *self._compare_with_structure(files)):
            findings.setdefault(finding.path, finding)
        check = check_manifest(self.manifest, files)
        for finding in check.findings:
            findings.setdefault(finding.path, finding)
        if not findings:
            return describe_check(check)
        return tuple(findings[path] for path in sorted(findings))

    def _compare_with_structure(self, files: Sequence[FileDigests]) -> Iterator[Finding]:
        found = {file.path: file for file in files}
        for entry in self.expected():
            file = found.pop(entry.path, None)
            if file is None:
                yield Finding(FindingKind.MISSING, entry.path, entry.digest, expected_size=entry.size)
            elif file.size != entry.size or entry.digest not in (None, file.sha256):
                yield Finding(FindingKind.CHANGED, entry.path, entry.digest, file.sha256, entry.size, file.size)
        for file in found.values():
            yield Finding(FindingKind.EXTRA, file.path, found=file.sha256, found_size=file.size)

    def _digest(self, path: str) -> str | None:
        entry = self.recorded.get(path)
        return self.manifest.digests.get(path) if entry is None or entry.digest is None else entry.digest


def look_at_held(safe: Safe, loi: str, old: int | None = None, *, stop: StopSignal = never) -> HeldDataset:
    """Reads the structure of the archive and the manifest in it; the data are not read.

    Raises: LoiNotFoundError, MissingContentError, NoFileError; HostileArchive, ManifestError, IntegrityError;
    StorageUnavailable when it is updated all the time; what the safe raises.
    """
    archive, recorded = _look_at_both(safe, loi, old)
    info = ObjectInfo(archive.key, archive.size)
    with unless_updated(safe, loi, archive, old):
        structure = read_archive_structure(archive.store, archive.key, info, stop=stop)
        content = read_manifest_member(
            archive.store, archive.key, info, structure=structure, stop=stop, manifest_name=MANIFEST_FILE
        )
        return HeldDataset(loi, archive, recorded, structure, content, parse_datasafe_manifest(content))


def _look_at_both(safe: Safe, loi: str, old: int | None) -> tuple[StoredArchive, Inventory]:
    for _ in range(LOOKS):
        archive = safe.archive(loi, old=old)
        if old is not None:
            return archive, Inventory()
        try:
            described = safe.describe(loi)
        except StorageError as error:
            if error.code != "unusable-reply":
                raise
            return archive, Inventory()  # a server that only hands out archives: their manifests speak
        digests = {archive.digest, described.entry.digest} - {None}
        if len(digests) < 2:
            return archive, described.inventory
    raise _updated(loi, safe.label)


@contextmanager
def unless_updated(safe: Safe, loi: str, archive: StoredArchive, old: int | None = None) -> Iterator[None]:
    """What is found wrong within it may be so because the dataset was updated meanwhile: then that is said.

    Raises: StorageUnavailable when it was; else what was raised within.
    """
    try:
        yield
    except (IntegrityError, SourceChanged, ObjectNotFound):
        if old is None:
            check_not_updated(safe, loi, archive)
        raise


def check_not_updated(safe: Safe, loi: str, archive: StoredArchive) -> None:
    """Raises: StorageUnavailable (updated) when another dataset than that of the archive lies there by now."""
    if archive.digest is None:
        return
    now = safe.archive(loi)
    if (now.digest, now.size) != (archive.digest, archive.size):
        raise _updated(loi, safe.label) from None


def compare_files(expected: Inventory, files: Sequence[FileDigests]) -> Iterator[Finding]:
    """Yields what is missing, changed or extra among the files; nothing where nothing is expected."""
    if not len(expected):
        return
    found = {file.path: file for file in files}
    for entry in expected:
        file = found.pop(entry.path, None)
        if file is None:
            yield Finding(FindingKind.MISSING, entry.path, entry.digest, expected_size=entry.size)
        elif entry.digest not in (None, file.sha256) or entry.size not in (None, file.size):
            yield Finding(FindingKind.CHANGED, entry.path, entry.digest, file.sha256, entry.size, file.size)
    for file in found.values():
        yield Finding(FindingKind.EXTRA, file.path, found=file.sha256, found_size=file.size)


def _updated(loi: str, label: str) -> StorageUnavailable:
    return StorageUnavailable(
        f"The dataset was updated while it was read: {loi}", key=loi, store=label, hint="Do it again.", code="updated"
    )
