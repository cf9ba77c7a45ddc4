"""Writes files below a folder that others may change meanwhile: whatever they do, nothing is written outside of it.

Every folder on the way is opened relative to the one above and must be no link. Names become durable in two steps, so
that thousands of small files need one sync of their folder and not one each: `write` syncs the content, `make_durable`
the folder, and looks whether the files can still be found by their paths.

Small files are written by one thread at a time, but for the waiting for the disk: threads that all make short calls of
the system hinder each other, so that sixteen of them need more than twice the time of one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from archive_tui.errors import ArchiveError, StorageError
from archive_tui.integrity.streams import hash_descriptor
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.atomic_file import WrittenFile, write_in_folder
from archive_tui.objects.folder.errors import FOLDER_VANISHED, to_storage_error, translate_os_errors
from archive_tui.objects.folder.file_stamps import stamp_status
from archive_tui.objects.folder.kept_parts import KeptPart, remove_kept_part
from archive_tui.objects.folder.listing import file_version
from archive_tui.objects.folder.paths import (
    MOST_PLACES,
    RETRIES,
    DurableFolders,
    MadeFolders,
    Place,
    check_readable_key,
    open_folder,
    split_key,
    sync_folder,
)
from archive_tui.objects.folder.reader import FileRangeReader, open_regular_file
from archive_tui.objects.folder.temporary_entries import remove_abandoned
from archive_tui.progress import StopSignal, never

SMALL = 256 << 10
"""Bytes up to which a file is worked on in less time than it takes to let another thread do it."""

NO_PLAIN_FILE = ""
"""In the place of a digest: something is there that is no file or cannot be read; it has no digest."""

_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_IN_THE_WAY = {errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO}
_FOLDERS_AT_ONCE = 32
"""Folders that are made before the first of them are synced; each is an open file until then."""

Sync = Callable[[int], None]


class FoundFile(NamedTuple):
    """`digest` is NO_PLAIN_FILE for what is none or cannot be read. `size` in bytes, `modified` in seconds since the
    epoch. `stamp` as of `stamp_file`."""

    digest: str
    size: int = 0
    modified: float = 0.0
    stamp: str = ""
    is_folder: bool = False


class ContainedFolder:
    """Files below `root`, which may be a link itself and need not exist before the first write.

    Paths are relative, with `/` between their parts; `..` is refused. Methods may be called from several threads.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100  (a resolved path would hide the name the user gave)
        self.label = f"folder {self.root}"
        self._cleaned: set[Place] = set()
        self._durable = DurableFolders()
        self._lock = threading.Lock()
        self.turn = threading.Lock()
        """Held while small files are read or written here; who reads many elsewhere may take it as well."""

    def find_digest(self, path: str, *, stop: StopSignal = never) -> str | None:
        """Returns the digest of the file at `path`, read now; None: nothing is there, NO_PLAIN_FILE: something else.

        Raises: AccessDenied (`symlink-in-path`) for a link on the way; StorageError, OperationStopped.
        """
        found = self.find_file(path, stop=stop)
        return found.digest if found is not None else None

    def find_file(self, path: str, *, stop: StopSignal = never) -> FoundFile | None:
        """Returns what is at `path`, read now; None: nothing. Raises: as `find_digest`."""
        folder, name = split_key(check_readable_key(path))
        with translate_os_errors(path, self.label):
            try:
                with self.turn:
                    descriptor = self._open_to_look(folder, name)
            except (FileNotFoundError, NotADirectoryError):
                return None
            if descriptor is None:
                return FoundFile(NO_PLAIN_FILE)
            try:
                return self._hash(descriptor, stop)
            finally:
                os.close(descriptor)

    def _hash(self, descriptor: int, stop: StopSignal) -> FoundFile:
        status, now = os.fstat(descriptor), time.time_ns()
        if not stat.S_ISREG(status.st_mode):
            return FoundFile(NO_PLAIN_FILE, is_folder=stat.S_ISDIR(status.st_mode))
        with self.turn if status.st_size <= SMALL else contextlib.nullcontext():
            digest, size = hash_descriptor(descriptor, stop=stop, read_ahead=False)
        stamp = stamp_status(status, now)
        is_still = stamp == file_version(os.fstat(descriptor)) and size == status.st_size
        return FoundFile(digest, size, status.st_mtime, stamp if is_still else "")

    def stamp(self, path: str) -> str:
        """Returns what changes whenever the file at `path` may have; empty when there is no file, or none that can be
        seen. Never raises."""
        folder, name = split_key(path)
        with contextlib.suppress(OSError, ValueError):
            folder_fd = open_folder(self.root, folder, enters_symlinks=False)
            try:
                status = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
            finally:
                os.close(folder_fd)
            return file_version(status) if stat.S_ISREG(status.st_mode) else ""
        return ""

    def remove_part(self, path: str, name: str) -> bool:
        """Removes the unfinished part of the file at `path` that has this temporary name; True if it is gone. Never
        raises OSError."""
        folder, _ = split_key(path)
        try:
            folder_fd = open_folder(self.root, folder, enters_symlinks=False)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            return remove_kept_part(name, folder_fd)
        finally:
            os.close(folder_fd)

    def _open_to_look(self, folder: str, name: str) -> int | None:
        folder_fd = open_folder(self.root, folder, enters_symlinks=False)
        try:
            return os.open(name, _LOOK, dir_fd=folder_fd)
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            return None
        finally:
            os.close(folder_fd)

    def open(self, path: str) -> FileRangeReader:
        """Opens a file for reading. Raises: ObjectNotFound, AccessDenied, StorageError."""
        folder, name = split_key(check_readable_key(path))
        with translate_os_errors(path, self.label):
            folder_fd = open_folder(self.root, folder, enters_symlinks=False)
            try:
                descriptor = open_regular_file(name, folder_fd, follow_symlinks=False)
            finally:
                os.close(folder_fd)
        return FileRangeReader(descriptor, 0, None, path, self.label)

    def write(
        self,
        path: str,
        source: CheckedSource,
        *,
        overwrite: bool = False,
        is_at_hand: bool = False,
        part: KeptPart | None = None,
    ) -> WrittenFile:
        """Writes `source` as the file at `path`, making the folders that are missing. `is_at_hand`: it is small, and
        nobody has to be waited for. `part`: what an earlier run has left of it, as of `write_in_folder`.

        All or nothing, and never the name of another without `overwrite`; with it, a link is replaced itself and not
        what it points to, and a folder never. The content is durable; the name when `make_durable` has returned.
        Folders that were made for a write that failed are removed again. What killed processes have left unfinished in
        the folder is removed.

        Raises: ObjectExists, AccessDenied (`symlink-in-path` for a link on the way), StorageFull, StorageError,
        HashError when other bytes are read back, InvalidName, and what `source` raises, unchanged.
        """
        made = MadeFolders(self.root, enters_symlinks=False, durable=self._durable)

        def sync(descriptor: int) -> None:
            os.fsync(descriptor)
            made.sync()

        def sync_without_turn(descriptor: int) -> None:
            self.turn.release()
            try:
                sync(descriptor)
            finally:
                self.turn.acquire()

        if not is_at_hand:
            return self._write(made, path, source, overwrite, sync, part)
        with self.turn:
            return self._write(made, path, source, overwrite, sync_without_turn, part)

    def _write(
        self,
        made: MadeFolders,
        path: str,
        source: CheckedSource,
        overwrite: bool,
        sync: Sync,
        part: KeptPart | None,
    ) -> WrittenFile:
        try:
            for _ in range(RETRIES):
                try:
                    return self._write_once(made, path, source, overwrite, sync, part)
                except StorageError as error:
                    # Another write that failed has taken back the folder between our opening it and our file in it.
                    if error.code != FOLDER_VANISHED or source.has_started:
                        raise
            return self._write_once(made, path, source, overwrite, sync, part)
        except BaseException:
            made.take_back()
            raise

    def _write_once(
        self,
        made: MadeFolders,
        path: str,
        source: CheckedSource,
        overwrite: bool,
        sync: Sync,
        part: KeptPart | None,
    ) -> WrittenFile:
        folder, name = split_key(check_readable_key(path))
        with translate_os_errors(path, self.label, writing=True):
            for depth in range(_FOLDERS_AT_ONCE, folder.count("/") + 1, _FOLDERS_AT_ONCE):
                os.close(made.open("/".join(folder.split("/", depth)[:depth])))
            folder_fd = made.open_unsynced(folder)
        try:
            if not made.made_last:
                self._clean_once(folder_fd)
            return write_in_folder(
                folder_fd, name, source, overwrite=overwrite, label=self.label, key=path, syncs_folder=False,
                sync=sync, part=part,
            )  # fmt: skip
        finally:
            os.close(folder_fd)

    def _clean_once(self, folder_fd: int) -> None:
        status = os.fstat(folder_fd)
        place = (status.st_dev, status.st_ino)
        with self._lock:
            is_first = place not in self._cleaned
            if len(self._cleaned) >= MOST_PLACES:  # cleaning twice costs time only
                self._cleaned.clear()
            self._cleaned.add(place)
        if is_first:
            remove_abandoned(folder_fd)

    def make_durable(self, folder: str, written: Mapping[str, WrittenFile]) -> dict[str, ArchiveError]:
        """Makes the names of files durable that `write` has written, by their paths, all directly in `folder`.

        Returns an error for each that is no longer there under its path; it lies below the root all the same, where
        somebody else has moved its folder to. Never raises OSError.
        """
        try:
            folder_fd = open_folder(self.root, folder, enters_symlinks=False)
        except OSError as error:
            return dict.fromkeys(written, to_storage_error(error, folder or ".", self.label, writing=True))
        try:
            lost = [path for path, file in written.items() if not _is_there(folder_fd, split_key(path)[1], file)]
            sync_folder(folder_fd)
        except OSError as error:
            return dict.fromkeys(written, to_storage_error(error, folder or ".", self.label, writing=True))
        finally:
            os.close(folder_fd)
        return {path: self._replaced(path) for path in lost}

    def _replaced(self, path: str) -> StorageError:
        return StorageError(
            f"{self.label}: Somebody has moved or replaced {path!r} right after it was written",
            key=path,
            store=self.label,
            hint="Run the same again when nobody else changes the folder.",
            code="object-changed",
        )


def _is_there(folder_fd: int, name: str, file: WrittenFile) -> bool:
    try:
        status = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (status.st_dev, status.st_ino) == (file.status.st_dev, file.status.st_ino)
