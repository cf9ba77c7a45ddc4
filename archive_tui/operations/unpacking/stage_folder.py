"""Writes files into a stage: an empty folder of ours, below which nothing is followed and nothing is replaced."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from archive_tui.errors import StorageError, StorageFull
from archive_tui.names.display import escape_for_display
from archive_tui.operations.unpacking.central_directory import refuse_member

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StageWriter:
    """Makes files and their folders below `root`; for one thread at a time. Close it, or use it as a context manager.

    No symbolic link is followed at any segment, no existing file is opened. Modes are 0644, or 0755 for executables,
    less the umask. Every error of the system becomes StorageFull or StorageError naming the file.
    """

    def __init__(self, root: Path) -> None:
        try:
            self._root_fd = os.open(root, _FOLDER_FLAGS)
        except OSError as error:
            raise translate_write_error(str(root), error) from error
        self._parent = ""
        self._parent_fd = self._root_fd

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._parent_fd != self._root_fd:
            os.close(self._parent_fd)
        os.close(self._root_fd)

    def create_file(self, path: str, *, is_executable: bool) -> int:
        """Returns a descriptor for writing; the caller closes it.

        Raises: HostileArchive (archive-name-clash) when the file system takes the name for that of another member;
        StorageFull, StorageError.
        """
        parent, _, name = path.rpartition("/")
        try:
            self._enter(parent)
            return os.open(name, _FILE_FLAGS, 0o755 if is_executable else 0o644, dir_fd=self._parent_fd)
        except FileExistsError as error:
            raise refuse_member("archive-name-clash", path, "this file system takes two members for one") from error
        except OSError as error:
            raise translate_write_error(path, error) from error

    def continue_file(self, path: str, size: int) -> int:
        """Returns a descriptor for writing behind the first `size` bytes of a file that is there; what follows them is
        cut off. The caller closes it.

        Raises: StorageError, also when it is shorter, or no regular file.
        """
        parent, _, name = path.rpartition("/")
        try:
            self._enter(parent)
            fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._parent_fd)
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_size < size:
                os.close(fd)
                raise OSError(errno.EIO, "Not the file that was begun")
            os.ftruncate(fd, size)
            os.lseek(fd, size, os.SEEK_SET)
        except OSError as error:
            raise translate_write_error(path, error) from error
        return fd

    def create_folder(self, path: str) -> None:
        """Raises: StorageFull, StorageError."""
        try:
            self._enter(path)
        except OSError as error:
            raise translate_write_error(path, error) from error

    def write(self, path: str, fd: int, data: bytes | memoryview) -> None:
        """Writes all of `data`. Raises: StorageFull, StorageError."""
        try:
            written = os.write(fd, data)
            view = memoryview(data)
            while written < len(view):
                written += os.write(fd, view[written:])
        except OSError as error:
            raise translate_write_error(path, error) from error

    def remove_file(self, path: str) -> None:
        """Removes a file that was made here and turned out damaged."""
        parent, _, name = path.rpartition("/")
        try:
            self._enter(parent)
            os.unlink(name, dir_fd=self._parent_fd)
        except OSError as error:
            raise translate_write_error(path, error) from error

    def _enter(self, folder: str) -> None:
        """Makes `folder`, and what is missing above it, the folder to work in."""
        if folder == self._parent:
            return
        fd = os.dup(self._root_fd)
        for segment in folder.split("/") if folder else ():
            above, fd = fd, -1
            try:
                fd = _open_or_make_folder(segment, above)
            finally:
                os.close(above)
        if self._parent_fd != self._root_fd:
            os.close(self._parent_fd)
        self._parent, self._parent_fd = folder, fd


def _open_or_make_folder(name: str, parent_fd: int) -> int:
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=parent_fd)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # another thread was faster
            os.mkdir(name, 0o755, dir_fd=parent_fd)
        return os.open(name, _FOLDER_FLAGS, dir_fd=parent_fd)


def translate_write_error(path: str, error: OSError) -> StorageError:
    """Returns the error of this package for a file that could not be written."""
    shown = escape_for_display(path)
    if error.errno in _FULL:
        return StorageFull(
            f"No room to write ({error.strerror}): {shown}", key=path, hint="Free some space, then run the same again."
        )
    return StorageError(
        f"Cannot be written ({error.strerror or error}): {shown}",
        key=path,
        hint="Check the folder, its permissions and the disk below it.",
        code="stage-write",
    )
