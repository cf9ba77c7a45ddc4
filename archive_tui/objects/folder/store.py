"""A local folder, or a mounted share, as an object store: a key is a path below the root."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from archive_tui.errors import ObjectExists, ObjectNotFound, StorageError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.names.object_keys import check_key
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.atomic_file import WrittenFile, write_in_folder
from archive_tui.objects.folder.create_only import exists, link_or_claim
from archive_tui.objects.folder.errors import FOLDER_VANISHED, translate_os_errors
from archive_tui.objects.folder.listing import FolderListing, describe_file, file_version
from archive_tui.objects.folder.paths import (
    MOST_PLACES,
    RETRIES,
    DurableFolders,
    MadeFolders,
    Place,
    check_readable_key,
    open_folder,
    open_root,
    split_key,
)
from archive_tui.objects.folder.reader import FileRangeReader, check_regular_file, open_regular_file
from archive_tui.objects.folder.temporary_entries import (
    create_locked_file,
    locked_folder,
    new_temporary_name,
    remove_abandoned,
)
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult, Support, Traits
from archive_tui.progress import StopSignal, never

NO_HARD_LINKS = "This folder has no hard links: create-only rests on claim files, which only this program honours."


class FolderStore(ObjectStore):
    """All guarantees of `ObjectStore`, by hard links and renames; a crash at any moment leaves whole objects only.

    `read_only_objects`: an archive's folder, where what is put is made read-only. False: a person's own folder, where
    it stays writable. `enters_symlinks`: whether links to folders and files may be followed; None: in a person's own
    folders only, for in an archive a link could lead keys out of it.

    A root that does not exist lists empty and is made by the first put. `delete` leaves the folders of the key, for a
    person may have made them. `info` and listings know no digest; a put has read the file back and hashed it.

    When a put returns, the file, its name and each folder on its way are durable: the file is synced first, then the
    parent of every folder that was made or may have been by somebody else a moment ago, then the name is given and its
    folder synced. None of it can be left out or done once for many puts, for each of these folders is another one.
    """

    def __init__(self, root: Path, *, read_only_objects: bool = True, enters_symlinks: bool | None = None) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100  (a resolved path would hide the name the user gave)
        self.label = f"folder {self.root}"
        self.identity = "file://" + str(self.root).rstrip("/")
        self.keeps_read_only = read_only_objects
        self._mode = 0o444 if read_only_objects else 0o666
        self.enters_symlinks = not read_only_objects if enters_symlinks is None else enters_symlinks
        self._hard_links: bool | None = None
        self._cleaned: set[Place] = set()
        self._durable = DurableFolders()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"FolderStore({str(self.root)!r}, read_only_objects={self.keeps_read_only})"

    @property
    def traits(self) -> Traits:
        return Traits(
            create_only=Support.YES,
            attests_digest=Support.NO,
            conditional_replace=Support.YES,
            server_side_copy=Support.NO,
            atomic_rename=Support.YES,
            versioning=Support.NO,
            lists_in_byte_order=Support.NO,
            remarks=(NO_HARD_LINKS,) if self._hard_links is False else (),
        )

    def probe(self) -> Traits:
        """Tries a hard link in the root, if it exists and can be written to; leaves nothing behind."""
        if self._hard_links is None:
            with contextlib.suppress(OSError):
                self._hard_links = _has_hard_links(self.root)
        return self.traits

    def local_path(self, key: str) -> Path:
        """Where the object lies, or would lie. For people and for programs that want a path; no promise that it exists.

        Raises: InvalidName.
        """
        return self.root / check_readable_key(key)

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
        check_key(key)
        replaces = overwrite or if_match is not None
        source = CheckedSource(chunks, size, digest, stop=stop, sent=sent, name=key)
        made = MadeFolders(self.root, enters_symlinks=self.enters_symlinks, durable=self._durable)
        try:
            written = self._write(made, key, source, replaces=replaces, if_match=if_match)
        except BaseException:
            made.take_back()
            raise
        return self._result(key, written)

    def _write(
        self, made: MadeFolders, key: str, source: CheckedSource, *, replaces: bool, if_match: str | None
    ) -> WrittenFile:
        for _ in range(RETRIES):
            try:
                return self._write_once(made, key, source, replaces=replaces, if_match=if_match)
            except StorageError as error:
                # Another writer that failed has taken back the folder between our opening it and our first file in it.
                if error.code != FOLDER_VANISHED or source.has_started:
                    raise
        return self._write_once(made, key, source, replaces=replaces, if_match=if_match)

    def _write_once(
        self, made: MadeFolders, key: str, source: CheckedSource, *, replaces: bool, if_match: str | None
    ) -> WrittenFile:
        folder, name = split_key(key)
        folder_fd = self._open_for_writing(made, folder, key)

        def check_version() -> None:
            self._check_may_write(folder_fd, name, key, replaces=replaces, if_match=if_match)

        def sync(descriptor: int) -> None:
            os.fsync(descriptor)
            made.sync()

        try:
            check_version()
            return write_in_folder(
                folder_fd, name, source, overwrite=replaces, mode=self._mode, label=self.label, key=key,
                check_before_replacing=check_version, sync=sync,
            )  # fmt: skip
        finally:
            os.close(folder_fd)

    def _open_for_writing(self, made: MadeFolders, folder: str, key: str) -> int:
        with translate_os_errors(key, self.label, writing=True):
            folder_fd = made.open_unsynced(folder)
            status = os.fstat(folder_fd)
        if made.made_last:
            return folder_fd  # no killed process can have left anything there
        place = (status.st_dev, status.st_ino)
        with self._lock:
            is_first = place not in self._cleaned
            if len(self._cleaned) >= MOST_PLACES:  # cleaning twice costs time only
                self._cleaned.clear()
            self._cleaned.add(place)
        if is_first:
            remove_abandoned(folder_fd)
        return folder_fd

    def _check_may_write(self, folder_fd: int, name: str, key: str, *, replaces: bool, if_match: str | None) -> None:
        with translate_os_errors(key, self.label, writing=True):
            if if_match is None:
                is_refused = not replaces and exists(name, folder_fd)
            else:
                is_refused = _version_of(name, folder_fd) != if_match
        if is_refused and if_match is None:
            raise ObjectExists(
                f"Exists already in {self.label}: {key}",
                key=key,
                store=self.label,
                hint="What is stored is never replaced. Choose another name or version.",
            )
        if is_refused:
            raise ObjectExists(
                f"Not the version that was to be replaced in {self.label}: {key}",
                key=key,
                store=self.label,
                hint="Somebody else has changed it. Look at it again.",
            )

    def _result(self, key: str, written: WrittenFile) -> PutResult:
        if not written.hard_links:
            self._hard_links = False
        info = describe_file(key, written.status)
        info = ObjectInfo(key, written.size, info.modified, info.version, written.digest)
        evidence = Evidence(
            self.identity, key, EvidenceLevel.READ, written.digest, written.size, time.time(),
            "Hashed while it was written; read back from the folder, every byte equal.", info.version,
        )  # fmt: skip
        return PutResult(info, evidence)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        folder, name = split_key(check_readable_key(key))
        with translate_os_errors(key, self.label):
            folder_fd = open_folder(self.root, folder, enters_symlinks=self.enters_symlinks)
            try:
                descriptor = open_regular_file(name, folder_fd, follow_symlinks=self.enters_symlinks)
            finally:
                os.close(folder_fd)
        return FileRangeReader(descriptor, offset, length, key, self.label)

    def info(self, key: str) -> ObjectInfo:
        folder, name = split_key(check_readable_key(key))
        with translate_os_errors(key, self.label):
            folder_fd = open_folder(self.root, folder, enters_symlinks=self.enters_symlinks)
            try:
                status = os.stat(name, dir_fd=folder_fd, follow_symlinks=self.enters_symlinks)
            finally:
                os.close(folder_fd)
            check_regular_file(status, name)
        return describe_file(key, status)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        listing = FolderListing(self.root, enters_symlinks=self.enters_symlinks)
        with translate_os_errors(prefix, self.label):
            yield from listing.entries(prefix, recursive=recursive)

    def delete(self, key: str) -> None:
        folder, name = split_key(check_readable_key(key))
        with (
            contextlib.suppress(ObjectNotFound),
            translate_os_errors(key, self.label),
        ):
            folder_fd = open_folder(self.root, folder, enters_symlinks=self.enters_symlinks)
            try:
                with locked_folder(folder_fd):
                    os.unlink(name, dir_fd=folder_fd)
            finally:
                os.close(folder_fd)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        check_key(target_key)
        return super().copy(source_key, target_key)


def _version_of(name: str, folder_fd: int) -> str | None:
    try:
        return file_version(os.stat(name, dir_fd=folder_fd, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _has_hard_links(root: Path) -> bool:
    first, second = new_temporary_name(), new_temporary_name()
    root_fd = open_root(root)
    try:
        descriptor = create_locked_file(first, root_fd)
        try:
            return link_or_claim(first, second, root_fd)
        finally:
            for name in (first, second):
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=root_fd)
            os.close(descriptor)
    finally:
        os.close(root_fd)
