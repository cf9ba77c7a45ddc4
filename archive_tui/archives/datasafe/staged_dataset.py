"""Reads an unpacked dataset once more: its digests, and the size and digest of the archive that is handed out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import DatasetRecord, RecordedFile, make_record
from archive_tui.archives.datasafe.manifest_check import FileDigests
from archive_tui.integrity.streams import BLOCK_SIZE, RunningDigest, read_chunks
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.packing.stored_zip import FileReader, StoredMember, StoredZip
from archive_tui.progress import BytesDone, Ended, ItemDone, Planned, Report, StopSignal, ignore, never

PHASE = "prove"


def read_staged(
    folder: Path,
    members: Sequence[StoredMember],
    algorithm: str,
    *,
    report: Report = ignore,
    stop: StopSignal = never,
) -> tuple[list[FileDigests], DatasetRecord]:
    """Returns the digests of the files `members` in `folder`, and the record of the dataset; each is read once.

    Raises: SourceChanged for a file that has another length; OSError; OperationStopped.
    """
    archive = StoredZip(members)
    reading = _Reading(folder, algorithm, report)
    whole, done, finished = hashlib.sha256(), 0, False
    report(Planned(PHASE, len(members), archive.size))
    try:
        for chunk in archive.read(reading.open, stop=stop):
            whole.update(chunk)
            done += len(chunk)
            report(BytesDone(PHASE, done))
        finished = True
    finally:
        report(Ended(PHASE, finished))
    digests = reading.digests(archive.members)
    crcs = {member.path: member.crc for member in archive.members}
    files = (RecordedFile(each.path, each.size, crcs[each.path], each.sha256) for each in digests)
    return digests, make_record(files, archive.size, whole.hexdigest(), time.time())


class _Reading:
    """Opens the files for the archive, and hashes what is read of each."""

    def __init__(self, folder: Path, algorithm: str, report: Report) -> None:
        self._folder = folder
        self._algorithm = algorithm
        self._report = report
        self._found: dict[str, tuple[RunningDigest, RunningDigest]] = {}

    def open(self, path: str, offset: int) -> FileReader:
        pair = hashlib.sha256(), hashlib.new(self._algorithm, usedforsecurity=False)
        self._found[path] = pair
        self._report(ItemDone(PHASE, path, len(self._found)))
        return _HashedFile(self._folder / path, pair)

    def digests(self, members: Sequence[StoredMember]) -> list[FileDigests]:
        empty = hashlib.sha256().hexdigest(), hashlib.new(self._algorithm, usedforsecurity=False).hexdigest()
        found = {path: (one.hexdigest(), other.hexdigest()) for path, (one, other) in self._found.items()}
        return [FileDigests(member.path, member.size, *found.get(member.path, empty)) for member in members]


class _HashedFile:
    def __init__(self, path: Path, digests: Sequence[RunningDigest]) -> None:
        self._file = path.open("rb", buffering=0)
        self._digests = digests

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        for digest in self._digests:
            digest.update(data)
        return data

    def close(self) -> None:
        self._file.close()


def hash_files(
    folder: Path, names: Sequence[str], algorithm: str, *, report: Report = ignore, stop: StopSignal = never
) -> tuple[list[FileDigests], list[StoredMember]]:
    """Returns digests and CRC-32 of files whose sizes nobody knows yet. Phase `hash`.

    Raises: OSError; OperationStopped.
    """
    phase, done, finished = "hash", 0, False
    report(Planned(phase, len(names)))
    digests, members = [], []
    try:
        for count, name in enumerate(names, 1):
            pair = hashlib.sha256(), hashlib.new(algorithm, usedforsecurity=False)
            size = crc = 0
            with (folder / name).open("rb", buffering=0) as file:
                for chunk in read_chunks(file, block_size=BLOCK_SIZE, stop=stop):
                    for digest in pair:
                        digest.update(chunk)
                    crc, size = crc32(chunk, crc), size + len(chunk)
                    report(BytesDone(phase, done + size))
            done += size
            digests.append(FileDigests(name, size, pair[0].hexdigest(), pair[1].hexdigest()))
            members.append(StoredMember(name, size, crc))
            report(ItemDone(phase, name, count))
        finished = True
    finally:
        report(Ended(phase, finished))
    return digests, members
