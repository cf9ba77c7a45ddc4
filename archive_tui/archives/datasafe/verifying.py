"""Verifies the archive of a dataset: read whole, every file compared with its digests and the manifest's checksums."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator

from archive_tui.archives.datasafe.held_dataset import check_not_updated, unless_updated
from archive_tui.archives.datasafe.manifest_check import FileDigests, check_algorithm, check_manifest
from archive_tui.archives.datasafe.receiving import describe_check
from archive_tui.archives.datasafe.safe import Safe, StoredArchive
from archive_tui.errors import ArchiveError, IntegrityError, OperationStopped
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.integrity.streams import BLOCK_SIZE
from archive_tui.manifests.datasafe_manifest import (
    ALGORITHM,
    MANIFEST_FILE,
    DatasafeManifest,
    parse_datasafe_manifest,
)
from archive_tui.objects.object_store import ObjectInfo, ObjectReader
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.unpacking.central_directory import ArchiveMember
from archive_tui.operations.unpacking.manifest_member import read_manifest_member
from archive_tui.operations.unpacking.member_reading import check_descriptor, check_local_header
from archive_tui.operations.unpacking.structure import ArchiveStructure, read_archive_structure
from archive_tui.operations.zip_format import LOCAL_HEADER, STORED
from archive_tui.progress import BytesDone, Ended, ItemDone, Planned, Report, StopSignal, check_stop, ignore, never

PHASE = "verify"
PROVEN = "every byte read and hashed, compared with digests and with the checksums of the manifest"
OTHER_ARCHIVE = "Every file is right, but the archive around them is not the one whose SHA-256 was written down."


def verify_archive(
    archive: StoredArchive,
    expected: Inventory | None,
    *,
    subject: str = "",
    report: Report = ignore,
    stop: StopSignal = never,
) -> IntegrityReport:
    """Reads the archive once and judges every file in it. `expected` is what was written down at the deposit; None:
    nothing was, and the manifest alone judges. Phase `verify`: bytes of the archive, items are files.

    Raises: HostileArchive, ManifestError when there is nothing that could be judged; what the store raises. A stop
    gives a report that is not complete.
    """
    started = time.monotonic()
    info = ObjectInfo(archive.key, archive.size)
    structure = read_archive_structure(archive.store, archive.key, info, stop=stop)
    manifest, faults = _read_manifest(archive, structure, expected, stop)
    reading = _Reading(archive, structure, ALGORITHM if manifest is None else check_algorithm(manifest), report, stop)
    is_complete = reading.run()
    names = expected.by_path if expected is not None else dict.fromkeys(() if manifest is None else manifest.names)
    findings = _merge(_compare(expected, reading.found, is_complete), faults, reading.damaged)
    if is_complete and manifest is not None:
        check = check_manifest(manifest, reading.found.values())
        findings = _merge(findings, check.findings) or list(describe_check(check))
    if is_complete and not findings and archive.digest not in (None, reading.digest):
        findings = [_other_archive(archive, reading.digest)]
    wrong = {finding.path for finding in findings if finding.kind is not FindingKind.EXTRA}
    listed = {*names, MANIFEST_FILE}
    return IntegrityReport(
        subject=subject or archive.key,
        files_total=len(listed),
        files_ok=sum(path in reading.found and path not in wrong for path in listed),
        bytes_total=archive.size,
        bytes_read=reading.done,
        findings=tuple(findings),
        complete=is_complete,
        proven=PROVEN,
        seconds=time.monotonic() - started,
    )


def verify_held(
    safe: Safe, loi: str, archive: StoredArchive, expected: Inventory | None, report: Report, stop: StopSignal
) -> IntegrityReport:
    """Verifies what a safe holds under a LOI now; see `verify_archive`.

    Raises: StorageUnavailable (updated) when it was replaced meanwhile: that is no damage; else as `verify_archive`.
    """
    with unless_updated(safe, loi, archive):
        found = verify_archive(archive, expected, subject=loi, report=report, stop=stop)
    if found.findings:
        check_not_updated(safe, loi, archive)
    return found


def _read_manifest(
    archive: StoredArchive, structure: ArchiveStructure, expected: Inventory | None, stop: StopSignal
) -> tuple[DatasafeManifest | None, list[Finding]]:
    """One that cannot be used is a finding where its digest is known, for then there is something to judge by.

    Raises: HostileArchive, ManifestError, IntegrityError.
    """
    info = ObjectInfo(archive.key, archive.size)
    try:
        content = read_manifest_member(
            archive.store, archive.key, info, structure=structure, stop=stop, manifest_name=MANIFEST_FILE
        )
        return parse_datasafe_manifest(content), []
    except IntegrityError as error:
        if expected is None or not any(entry.digest for entry in expected):
            raise
        return None, [Finding(FindingKind.CHANGED, MANIFEST_FILE, detail=error.message)]


def _merge(*groups: Iterable[Finding]) -> list[Finding]:
    """Returns one finding for each path, the first one, sorted."""
    merged: dict[str, Finding] = {}
    for finding in itertools.chain(*groups):
        merged.setdefault(finding.path, finding)
    return [merged[path] for path in sorted(merged)]


def _other_archive(archive: StoredArchive, found: str) -> Finding:
    size = archive.size
    return Finding(FindingKind.CHANGED, archive.key, archive.digest, found, size, size, OTHER_ARCHIVE)


def _compare(expected: Inventory | None, found: dict[str, FileDigests], is_complete: bool) -> Iterator[Finding]:
    if expected is None:
        return
    for entry in expected:
        file = found.get(entry.path)
        if file is None:
            if is_complete:
                yield Finding(FindingKind.MISSING, entry.path, expected=entry.digest, expected_size=entry.size)
        elif entry.digest not in (None, file.sha256) or entry.size not in (None, file.size):
            yield Finding(FindingKind.CHANGED, entry.path, entry.digest, file.sha256, entry.size, file.size)
    for path, file in found.items():
        if path not in expected:
            yield Finding(FindingKind.EXTRA, path, found=file.sha256, found_size=file.size)


class _Reading:
    """One pass over an archive whose members are stored."""

    def __init__(
        self, archive: StoredArchive, structure: ArchiveStructure, algorithm: str, report: Report, stop: StopSignal
    ) -> None:
        self._archive = archive
        self._structure = structure
        self._algorithm = algorithm
        self._report = report
        self._stop = stop
        self._whole = hashlib.sha256()
        self.found: dict[str, FileDigests] = {}
        self.damaged: list[Finding] = []
        self.done = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of what was read of the archive."""
        return self._whole.hexdigest()

    def run(self) -> bool:
        """Returns False when it was stopped."""
        files = sum(not member.is_folder for member in self._structure.members)
        self._report(Planned(PHASE, files, self._archive.size))
        finished = False
        try:
            with self._archive.store.open(self._archive.key) as reader:
                for index, member in enumerate(self._structure.members):
                    self._read(reader, member, self._structure.record_end(index) - member.header_offset)
                self._read_rest(reader)
            finished = True
        except OperationStopped:
            return False
        finally:
            self._report(Ended(PHASE, finished))
        return True

    def _read(self, reader: ObjectReader, member: ArchiveMember, size: int) -> None:
        if member.method != STORED:
            raise IntegrityError(
                f"The archive is not as a datasafe hands it out: {member.path} is compressed.",
                code="archive-not-stored",
            )
        header = self._take(reader, LOCAL_HEADER.size)
        header += self._take(reader, sum(LOCAL_HEADER.unpack(header)[-2:]))
        _, end = check_local_header(member, header, size)
        digests = hashlib.sha256(), hashlib.new(self._algorithm, usedforsecurity=False)
        left, crc = member.size, 0
        while left:
            chunk = self._take_some(reader, left)
            left, crc = left - len(chunk), crc32(chunk, crc)
            for digest in digests:
                digest.update(chunk)
            self._report(BytesDone(PHASE, self.done))
        check_descriptor(member, self._take(reader, size - end))
        if crc != member.crc:
            detail = "Damaged in the archive: its checksum (CRC-32) is wrong."
            self.damaged.append(Finding(FindingKind.CHANGED, member.path, found=digests[0].hexdigest(), detail=detail))
        if not member.is_folder:
            self.found[member.path] = FileDigests(member.path, member.size, *(each.hexdigest() for each in digests))
            self._report(ItemDone(PHASE, member.path, len(self.found)))

    def _read_rest(self, reader: ObjectReader) -> None:
        left = self._structure.size - self.done
        while left:
            left -= len(self._take_some(reader, left))
        self._report(BytesDone(PHASE, self.done))

    def _take(self, reader: ObjectReader, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            taken += self._take_some(reader, size - len(taken))
        return taken

    def _take_some(self, reader: ObjectReader, most: int) -> bytes:
        check_stop(self._stop)
        chunk = reader.read(min(BLOCK_SIZE, most))
        if not chunk:
            raise _cut_short()
        self._whole.update(chunk)
        self.done += len(chunk)
        return chunk


def _cut_short() -> ArchiveError:
    return IntegrityError("The archive ends before its structure says.", code="archive-truncated")
