"""Takes a deposit in: from a stream of bytes to an unpacked dataset that has been proven, in a stage."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import RECORD_NAME, DatasetRecord
from archive_tui.archives.datasafe.manifest_check import ManifestCheck, check_algorithm, check_manifest
from archive_tui.archives.datasafe.staged_dataset import read_staged
from archive_tui.errors import HostileArchive, IntegrityError, MissingContentError, StorageError, StorageFull
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.integrity.streams import Chunk
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE, DatasafeManifest, parse_datasafe_manifest
from archive_tui.names.quantities import format_size
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations.free_space import SLACK, free_bytes
from archive_tui.operations.packing.stored_zip import StoredMember
from archive_tui.operations.unpacking.archive import unpack_archive
from archive_tui.operations.unpacking.structure import ArchiveStructure, read_archive_structure
from archive_tui.progress import BytesDone, Ended, Planned, Report, StopSignal, check_stop

RECEIVE = "receive"
KEY = "deposit.zip"


@dataclass(frozen=True, slots=True)
class DepositLimits:
    """Bytes of the archive as it comes, and of all its files unpacked; None: as much as there is room for."""

    archive: int | None = None
    unpacked: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedDataset:
    manifest: DatasafeManifest
    record: DatasetRecord

    @property
    def inventory(self) -> Inventory:
        return self.record.inventory


def receive_dataset(
    loi: str,
    archive: Iterable[Chunk],
    incoming: Path,
    dataset: Path,
    limits: DepositLimits,
    *,
    report: Report,
    stop: StopSignal,
) -> ReceivedDataset:
    """Writes the archive into `incoming`, unpacks it into `dataset`, both empty folders, and proves it there.
    Without a `loi` the dataset may say that it is whichever.

    Raises: MissingContentError for an empty stream and for an archive without manifest; HostileArchive; ManifestError;
    IntegrityError with its report when the files are not those of the manifest; StorageError (too-large); StorageFull;
    OperationStopped.
    """
    _write(archive, incoming / KEY, limits.archive, report, stop)
    store = FolderStore(incoming, read_only_objects=False)
    structure = read_archive_structure(store, KEY, stop=stop)
    _check_structure(structure, limits.unpacked)
    _check_room(dataset, structure.content_bytes)
    unpacked = unpack_archive(
        store, KEY, dataset, structure=structure, report=report, stop=stop, manifest_name=MANIFEST_FILE
    )
    if unpacked.damaged:
        raise _refuse(loi, unpacked.damaged, len(structure.members))
    assert unpacked.manifest is not None, "its name was found in the structure"
    manifest = parse_datasafe_manifest(unpacked.manifest)
    if loi and manifest.loi not in ("", loi):
        raise IntegrityError(
            f"The dataset says that it is another one: {manifest.loi}",
            hint=f"Deposit it there, or write {loi} into its {MANIFEST_FILE}.",
            code="manifest-of-another",
        )
    (incoming / KEY).unlink()
    with translate_os_errors(loi, "the datasafe"):
        digests, record = read_staged(dataset, _members(structure), check_algorithm(manifest), report=report, stop=stop)
    _check_read_back(loi, unpacked.inventory, record)
    check = check_manifest(manifest, digests)
    if not check.is_right:
        raise _refuse(loi, describe_check(check), len(digests), check)
    return ReceivedDataset(manifest, record)


def describe_check(check: ManifestCheck) -> tuple[Finding, ...]:
    """The findings, and one for each checksum over several files that is wrong."""
    wrong = [
        Finding(FindingKind.CHANGED, MANIFEST_FILE, detail=f"its checksum over {what} is another one")
        for what, is_right in (("data and metadata", check.all_is_right), ("data", check.data_is_right))
        if not is_right
    ]
    return (*check.findings, *wrong)


def _write(archive: Iterable[Chunk], target: Path, most: int | None, report: Report, stop: StopSignal) -> None:
    size, finished = 0, False
    report(Planned(RECEIVE, 1))
    try:
        with translate_os_errors(target.name, "the datasafe", writing=True):
            file = target.open("xb", buffering=0)
        with file:
            for chunk in archive:
                check_stop(stop)
                size += len(chunk)
                if most is not None and size > most:
                    raise _too_large("The archive", most)
                with translate_os_errors(target.name, "the datasafe", writing=True):
                    _write_all(file.fileno(), chunk)
                report(BytesDone(RECEIVE, size))
        finished = True
    finally:
        report(Ended(RECEIVE, finished))
    if size == 0:
        raise MissingContentError("No content provided to deposit.")


def _write_all(descriptor: int, chunk: Chunk) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _check_structure(structure: ArchiveStructure, most: int | None) -> None:
    if most is not None and structure.content_bytes > most:
        raise _too_large("What the archive holds", most)
    names = {member.path for member in structure.members if not member.is_folder}
    if MANIFEST_FILE not in names:
        raise MissingContentError("No manifest file found.", key=MANIFEST_FILE)
    if RECORD_NAME in {member.path for member in structure.members}:
        raise HostileArchive(
            f"The archive holds a name that is the datasafe's own: {RECORD_NAME}", code="archive-member-path"
        )


def _check_room(folder: Path, needed: int) -> None:
    free = free_bytes(folder)
    if free is not None and needed + SLACK > free:
        raise StorageFull(
            f"The datasafe has no room for what the archive holds: {format_size(needed)}.",
            hint="Ask whoever runs the datasafe to make room.",
        )


def _members(structure: ArchiveStructure) -> list[StoredMember]:
    return [StoredMember(each.path, each.size, each.crc) for each in structure.members if not each.is_folder]


def _check_read_back(loi: str, written: Inventory, record: DatasetRecord) -> None:
    read = record.inventory
    wrong = [entry.path for entry in written if read.get(entry.path) != entry]
    if wrong:
        raise IntegrityError(
            f"What was written to the disk came back different: {wrong[0]}",
            hint="Check the health of the disk, then deposit again.",
            code="read-back",
        )


def _refuse(loi: str, findings: tuple[Finding, ...], files: int, check: ManifestCheck | None = None) -> IntegrityError:
    report = IntegrityReport(loi, files, files - len(findings), 0, 0, findings, proven="nothing is kept of it")
    error = IntegrityError(
        f"The dataset does not fit its manifest: {report.sentence}.",
        report=report,
        hint="Nothing was kept. Make its MANIFEST.yaml anew, or bring the files that it lists.",
        code="dataset-refused",
    )
    if check is not None:
        error.check = check  # type: ignore[attr-defined]
    return error


def _too_large(what: str, most: int) -> StorageError:
    return StorageError(
        f"{what} is larger than {format_size(most)}, the most that is taken here.",
        hint="Ask whoever runs the datasafe for a higher limit.",
        code="too-large",
    )
