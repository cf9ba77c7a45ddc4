"""Lists a folder as an object store: lazily, straight from the directory, one stat per file and none per folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from archive_tui.errors import StorageError
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.objects.folder.paths import open_folder, split_key
from archive_tui.objects.object_store import Listed, ObjectInfo, Prefix

_SECOND = 1_000_000_000


def file_version(status: os.stat_result) -> str:
    """Changes whenever the content does: replaced (inode), rewritten (times, size)."""
    return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}-{status.st_ctime_ns}"


def describe_file(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, status.st_size, status.st_mtime_ns / _SECOND, file_version(status))


class FolderListing:
    """Objects are regular files. Sockets, pipes and devices are none and are not listed.

    Symbolic links: with `enters_symlinks` a link to a file is that file, and a link to a folder is a prefix (never
    followed by a recursive listing, which could go round in circles). Any other link, broken or not followed here, is
    an object of zero bytes without a version, so that nobody takes its name for free; opening it says why not.
    Empty folders are prefixes.
    """

    def __init__(self, root: Path, *, enters_symlinks: bool) -> None:
        self._root = root
        self._enters_symlinks = enters_symlinks

    def entries(self, prefix: str, *, recursive: bool) -> Iterator[Listed]:
        """Raises: OSError where a folder cannot be read; what vanishes meanwhile is left out."""
        folder, name_begins = split_key(prefix)
        if not _can_name_a_folder(prefix, folder):
            return
        try:
            folder_fd = open_folder(self._root, folder, enters_symlinks=self._enters_symlinks)
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            if self._root.is_dir():
                return
            # Something else stands where the archive should be: that is no empty archive.
            raise StorageError(
                f"Not a folder: {self._root}",
                store=f"folder {self._root}",
                hint="Check storage_area in the settings, and that the disk or share is mounted.",
                code="not-a-folder",
            ) from error
        yield from self._walk(folder_fd, f"{folder}/" if folder else "", name_begins, recursive)

    def _walk(self, folder_fd: int, path: str, name_begins: str, recursive: bool) -> Iterator[Listed]:
        try:
            with os.scandir(folder_fd) as entries:
                for entry in entries:
                    if not entry.name.startswith(name_begins) or is_temporary_name(entry.name):
                        continue
                    yield from self._entry(entry, folder_fd, path + entry.name, recursive)
        finally:
            os.close(folder_fd)

    def _entry(self, entry: os.DirEntry[str], folder_fd: int, key: str, recursive: bool) -> Iterator[Listed]:
        if entry.is_dir(follow_symlinks=False):
            yield from self._folder(entry, folder_fd, key, recursive)
        elif entry.is_symlink():
            yield from self._link(entry, key, recursive)
        elif entry.is_file(follow_symlinks=False):
            try:
                yield describe_file(key, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                return

    def _folder(self, entry: os.DirEntry[str], folder_fd: int, key: str, recursive: bool) -> Iterator[Listed]:
        if not recursive:
            yield Prefix(f"{key}/")
            return
        try:
            below = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder_fd)
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            if self._root.is_dir():
                return
            # Something else stands where the archive should be: that is no empty archive.
            raise StorageError(
                f"Not a folder: {self._root}",
                store=f"folder {self._root}",
                hint="Check storage_area in the settings, and that the disk or share is mounted.",
                code="not-a-folder",
            ) from error
        yield from self._walk(below, f"{key}/", "", recursive)

    def _link(self, entry: os.DirEntry[str], key: str, recursive: bool) -> Iterator[Listed]:
        status = self._target_of(entry)
        if status is None:
            yield ObjectInfo(key, 0)
        elif stat.S_ISREG(status.st_mode):
            yield describe_file(key, status)
        elif stat.S_ISDIR(status.st_mode) and not recursive:
            yield Prefix(f"{key}/")

    def _target_of(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        if not self._enters_symlinks:
            return None
        try:
            return entry.stat()
        except OSError:
            return None


def _can_name_a_folder(prefix: str, folder: str) -> bool:
    if "\0" in prefix or prefix.startswith("/"):
        return False
    segments = folder.split("/") if folder else []
    return not any(segment in ("", ".", "..") or is_temporary_name(segment) for segment in segments)
