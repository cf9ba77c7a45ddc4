"""A proven dataset in a stage as the archive that is put into a store; it begins anew with each iteration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import DatasetRecord
from archive_tui.operations.packing.stored_zip import FileReader, StoredMember, StoredZip
from archive_tui.progress import BytesDone, Ended, Planned, Report, StopSignal

PHASE = "store"


class StagedArchive:
    """The chunks of the archive. `end` says that it was put, or was not."""

    def __init__(self, folder: Path, record: DatasetRecord, report: Report, stop: StopSignal) -> None:
        self._folder = folder
        self._archive = StoredZip(StoredMember(file.path, file.size, file.crc) for file in record.files)
        self._report = report
        self._stop = stop
        self._done = 0
        report(Planned(PHASE, 1, self._archive.size))

    def __iter__(self) -> Iterator[bytes]:
        self._done = 0
        for chunk in self._archive.read(self._open, stop=self._stop):
            yield chunk
            self._done += len(chunk)
            self._report(BytesDone(PHASE, self._done))

    def end(self) -> None:
        self._report(Ended(PHASE, self._done == self._archive.size))

    def _open(self, path: str, offset: int) -> FileReader:
        file = (self._folder / path).open("rb", buffering=0)
        file.seek(offset)
        return file
