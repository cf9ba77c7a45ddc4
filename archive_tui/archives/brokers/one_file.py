"""What brokers do with one file, over any object store: each step is proven before the next one takes anything away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive_tui.archives.brokers.records import FileDownload, FileMove, FileOutcome, FileUpload, Outcome
from archive_tui.errors import (
    ArchiveError,
    MissingFile,
    ObjectExists,
    ObjectNotFound,
    SourceNotFound,
    SourceUnreadable,
    StorageError,
)
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.names.display import escape_for_display
from archive_tui.names.object_keys import check_key
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.moving_names import are_two_names_of_one_file, link_file
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.folder.temporary_entries import new_temporary_name
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.progress import StopSignal

_HERE = "this machine"


class OneFile:
    """Works on one file at a time, from any number of threads. `mount` is where the files of the store can be linked
    to; None: nowhere."""

    def __init__(
        self, store: ObjectStore, stop: StopSignal, *, overwrite: bool = False, mount: str | None = None
    ) -> None:
        self._store = store
        self._stop = stop
        self._overwrite = overwrite
        self._mount = mount
        self._proven: dict[int, str | None] = {}  # of moves whose copy was proven, and whose end nobody heard of

    def upload(self, upload: FileUpload) -> FileOutcome:
        """Raises: SourceNotFound, SourceUnreadable, ObjectExists, InvalidName; what the store raises."""
        key, path = check_key(upload.file.file_path), Path(upload.local_path)
        content = _LocalFile(path)
        try:
            put = self._store.put(key, content, content.size, overwrite=self._overwrite, stop=self._stop)
        except ObjectExists:
            digest, size = hash_stream(content)
            if self._digest_of(key) != digest:
                raise
            _save(upload.file)  # the answer to our own put may have been lost
            return FileOutcome(upload.file, Outcome.SAME, digest, size)
        _save(upload.file)
        return FileOutcome(upload.file, Outcome.UPLOADED, put.info.digest, put.info.size)

    def download(self, download: FileDownload) -> FileOutcome:
        """Raises: MissingFile, ObjectExists, InvalidName; what the store, or the disk, raises."""
        key, target = check_key(download.file.file_path), Path(download.local_path)
        info = self._require(key)
        with translate_os_errors(str(target), _HERE, writing=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            if download.partial and self._mount is not None and self._link(Path(self._mount, key), target):
                return FileOutcome(download.file, Outcome.LINKED)
        with self._open(key) as reader:
            written = write_atomically(
                target,
                read_chunks(reader, stop=self._stop),
                info.size if info.size >= 0 else None,
                digest=info.digest if is_sha256_hex(info.digest) else None,
                overwrite=self._overwrite,
                stop=self._stop,
            )
        return FileOutcome(download.file, Outcome.DOWNLOADED, written.digest, written.size)

    def _link(self, mounted: Path, target: Path) -> bool:
        """False: it does not lie in the mount, and has to be copied. Raises: ObjectExists, OSError."""
        if not mounted.is_file():
            return False
        place = target
        if self._overwrite:
            place = target.with_name(new_temporary_name())
        try:
            place.symlink_to(mounted.absolute())
        except FileExistsError as error:
            raise ObjectExists(
                f"Exists already: {escape_for_display(str(target))}", key=str(target), hint="Choose another place."
            ) from error
        if place is not target:
            try:
                place.replace(target)
            except OSError:
                place.unlink()
                raise
        return True

    def move(self, move: FileMove) -> FileOutcome:
        """Raises: MissingFile, ObjectExists, InvalidName; StorageError (object-changed) when it was changed meanwhile:
        both are there then; what the store raises."""
        old, new = check_key(move.file.file_path), check_key(move.new_path)
        if old == new:
            return FileOutcome(move.file, Outcome.SAME, size=self._require(old).size)
        outcome = self._move(move, old, new)
        move.file.file_path = new
        _save(move.file)
        return outcome

    def _move(self, move: FileMove, old: str, new: str) -> FileOutcome:
        before = self._find(old)
        if before is None and id(move) in self._proven:  # an attempt whose answer was lost has done its work
            return FileOutcome(move.file, Outcome.MOVED, self._proven[id(move)], self._require(new).size)
        if before is None:
            raise _missing(old, self._store.label)
        if isinstance(self._store, FolderStore) and self._rename(self._store, move, old, new):
            return FileOutcome(move.file, Outcome.MOVED, size=before.size)
        digest = self._copy(old, new, before)
        after = self._require(old)
        if (after.size, after.version) != (before.size, before.version):
            raise self._changed(old)
        self._proven[id(move)] = digest
        self._store.delete(old)
        return FileOutcome(move.file, Outcome.MOVED, digest, before.size)

    def _changed(self, old: str) -> StorageError:
        return StorageError(
            f"Changed while it was moved, so it stays as well: {escape_for_display(old)}",
            key=old,
            store=self._store.label,
            hint="Move it again, or delete the copy at the new place.",
            code="object-changed",
        )

    def _rename(self, store: FolderStore, move: FileMove, old: str, new: str) -> bool:
        """False: the file system cannot; it has to be copied."""
        try:
            if link_file(store, old, store, new) is None:
                return False
        except ObjectExists:
            return False  # it may be a proven copy, which a move that was killed has left
        if not are_two_names_of_one_file(store, old, store, new):
            raise self._changed(old)
        self._proven[id(move)] = None
        store.delete(old)
        return True

    def _copy(self, old: str, new: str, before: ObjectInfo) -> str | None:
        """Copies; the copy appears only with the digest that the source has by itself, or by a reading of its own, so
        that nothing that happens to the bytes on their way here can pass. An equal content there is what was wanted."""
        digest, size = self._digest_of(old), before.size if before.size >= 0 else None
        try:
            with self._open(old) as reader:
                chunks = read_chunks(reader, stop=self._stop)
                self._store.put(new, chunks, size, overwrite=self._overwrite, digest=digest, stop=self._stop)
        except ObjectExists:
            if digest is None or self._digest_of(new) != digest:
                raise
        return digest

    def delete(self, file: Any, *, update_model: bool) -> FileOutcome:
        """Raises: InvalidName; what the store raises."""
        key = check_key(file.file_path)
        was_there = self._find(key) is not None
        self._store.delete(key)
        if update_model:
            file.is_deleted, file.deleted = True, datetime.now(UTC)
            _save(file)
        return FileOutcome(file, Outcome.DELETED if was_there else Outcome.ABSENT)

    def _find(self, key: str) -> ObjectInfo | None:
        try:
            return self._store.info(key)
        except ObjectNotFound:
            return None

    def _require(self, key: str) -> ObjectInfo:
        info = self._find(key)
        if info is None:
            raise _missing(key, self._store.label)
        return info

    def _open(self, key: str) -> Any:
        try:
            return self._store.open(key)
        except ObjectNotFound as error:
            raise _missing(key, self._store.label) from error

    def _digest_of(self, key: str) -> str | None:
        info = self._find(key)
        if info is None:
            return None
        if info.attested and info.digest is not None:
            return info.digest
        with self._open(key) as reader:
            return hash_stream(read_chunks(reader, stop=self._stop))[0]


class _LocalFile:
    """A file of this machine as a stream that can be read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            if not path.is_file():
                name = escape_for_display(str(path))
                raise SourceNotFound(f"No such file: {name}", path=str(path), hint="Check the local path.")
            self.size = path.stat().st_size
        except PermissionError as error:
            raise self._unreadable(error) from error

    def __iter__(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb", buffering=0) as content:
                yield from read_chunks(content)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> SourceUnreadable:
        name = escape_for_display(str(self._path))
        return SourceUnreadable(
            f"Cannot be read: {name}: {error.strerror}", path=str(self._path), hint="Check its rights."
        )


def _missing(key: str, label: str) -> MissingFile:
    return MissingFile(f"No such file: {escape_for_display(key)}", key=key, store=label, hint="List what there is.")


def _save(file: Any) -> None:
    """Raises: ArchiveError (broker-record) when the record cannot be saved."""
    save = getattr(file, "save", None)
    if not callable(save):
        return
    try:
        save()
    except Exception as error:  # the code of whoever uses a broker may raise anything
        raise ArchiveError(
            f"The file is where it has to be, its record could not be saved: {escape_for_display(file.file_path)}",
            hint="Save the record again; the cause is told with this error.",
            code="broker-record",
        ) from error
