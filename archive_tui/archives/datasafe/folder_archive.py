"""The dataset in a folder as the zip archive that is handed out: made while it is read, from any offset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import DatasetRecord
from archive_tui.archives.datasafe.folder_places import identify_folder
from archive_tui.archives.datasafe.safe import StoredArchive
from archive_tui.errors import AccessDenied, ObjectNotFound, StorageUnavailable
from archive_tui.integrity.streams import Chunk, StreamReader, read_chunks
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import (
    Listed,
    ObjectInfo,
    ObjectReader,
    ObjectStore,
    PutResult,
    Support,
    Traits,
)
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.packing.stored_zip import StoredMember, StoredZip
from archive_tui.progress import StopSignal, never

KEY = "dataset.zip"


def open_folder_archive(
    folder: Path, names: Sequence[tuple[str, int]], record: DatasetRecord | None, *, version: str, label: str = ""
) -> StoredArchive:
    """Returns the archive of the files `names` (with their sizes) in `folder`, as long as it has this `version` (see
    `identify_folder`). Without a record the files are read once for their checksums (CRC-32) before any of it is handed
    out.

    Raises: StorageError for a file that cannot be read; StorageUnavailable when the dataset was updated.
    """
    files = _VersionedFiles(folder, version, label or f"folder {folder}")
    if record is not None:
        members = [StoredMember(file.path, file.size, file.crc) for file in record.files]
    else:
        members = [_read_member(files, name) for name, _ in names]
    archive = StoredZip(members)
    store = FolderArchiveStore(archive, files, record)
    return StoredArchive(store, KEY, archive.size, None if record is None else record.archive_digest)


class _VersionedFiles:
    """The files of one version of a dataset; what an update puts in its place is not read for it."""

    def __init__(self, folder: Path, version: str, label: str) -> None:
        self.label = label
        self._folder = folder
        self._version = version
        self._store = FolderStore(folder, read_only_objects=False, enters_symlinks=False)
        self.identity = self._store.identity

    def open(self, path: str, offset: int = 0) -> ObjectReader:
        """Raises: StorageUnavailable (updated); what the store raises."""
        try:
            reader = self._store.open(path, offset)
        except ObjectNotFound:
            self._check_version()
            raise
        try:
            self._check_version()
        except BaseException:
            reader.close()
            raise
        return reader

    def _check_version(self) -> None:
        """After a file was opened: then it is one of this version."""
        with translate_os_errors(KEY, self.label):
            if identify_folder(self._folder) == self._version:
                return
        raise StorageUnavailable(
            f"{self.label}: the dataset was updated while it was read.",
            key=KEY,
            store=self.label,
            hint="Do it again.",
            code="updated",
        )


class _ArchiveReader(StreamReader):
    """Closing it closes the file that is being read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__(chunks)
        self._generator = chunks

    def close(self) -> None:
        close = getattr(self._generator, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> _ArchiveReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class FolderArchiveStore(ObjectStore):
    """A store with one object, which can only be read. A file that has another length than it had raises
    SourceChanged in the middle."""

    def __init__(self, archive: StoredZip, files: _VersionedFiles, record: DatasetRecord | None) -> None:
        self.label = files.label
        self.identity = f"{files.identity}#zip"
        self._archive = archive
        self._files = files
        self._record = record

    @property
    def traits(self) -> Traits:
        return Traits(create_only=Support.NO, remarks=("It can only be read.",))

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        self._check(key)
        return _ArchiveReader(self._archive.read(self._files.open, offset, length))

    def info(self, key: str) -> ObjectInfo:
        self._check(key)
        record = self._record
        if record is None:
            return ObjectInfo(key, self._archive.size)
        return ObjectInfo(key, self._archive.size, record.deposited_at, record.archive_digest, record.archive_digest)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        if KEY.startswith(prefix):
            yield self.info(KEY)

    def put(
        self,
        key: str,
        chunks: Iterable[Chunk],
        size: int | None = None,
        *,
        overwrite: bool = False,
        digest: str | None = None,
        if_match: str | None = None,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
    ) -> PutResult:
        raise self._read_only(key)

    def delete(self, key: str) -> None:
        raise self._read_only(key)

    def _check(self, key: str) -> None:
        if key != KEY:
            raise ObjectNotFound(f"No such object: {key!r}", key=key, store=self.label)

    def _read_only(self, key: str) -> AccessDenied:
        return AccessDenied(
            f"{self.label}: an archive that is made while it is read cannot be written: {key!r}",
            key=key,
            store=self.label,
            hint="Deposit or update the dataset in the datasafe.",
        )


def _read_member(files: _VersionedFiles, name: str) -> StoredMember:
    size = crc = 0
    with files.open(name) as reader:
        for chunk in read_chunks(reader):
            size, crc = size + len(chunk), crc32(chunk, crc)
    return StoredMember(name, size, crc)
