"""Reads a range of a file without moving anybody's position, and notices when the file changes under it."""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType
from typing import Self

from archive_tui.errors import StorageError
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.listing import file_version


def open_regular_file(name: str, folder_fd: int, *, follow_symlinks: bool) -> int:
    """Raises: OSError; FileNotFoundError for what is no regular file."""
    # O_NONBLOCK: a named pipe without a writer would block the open for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow_symlinks else os.O_NOFOLLOW)
    descriptor = os.open(name, flags, dir_fd=folder_fd)
    try:
        check_regular_file(os.fstat(descriptor), name)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def check_regular_file(status: os.stat_result, name: str) -> None:
    """Raises: FileNotFoundError for what is no regular file, OSError (ELOOP) for a link that was not followed."""
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


class FileRangeReader:
    """An `ObjectReader` over an open file, which it owns. Beyond the size at opening nothing is read."""

    def __init__(self, descriptor: int, offset: int, length: int | None, key: str, label: str) -> None:
        self._descriptor = descriptor
        self._status = os.fstat(descriptor)
        self._position = min(offset, self._status.st_size)
        self._end = self._status.st_size if length is None else min(offset + length, self._status.st_size)
        self._key = key
        self._label = label

    @property
    def version(self) -> str:
        """The `ObjectInfo.version` of what is read."""
        return file_version(self._status)

    def read(self, size: int = -1, /) -> bytes:
        left = max(0, self._end - self._position)
        wanted = left if size < 0 else min(size, left)
        with translate_os_errors(self._key, self._label):
            data = os.pread(self._descriptor, wanted, self._position)
            self._position += len(data)
            if (wanted and not data) or (data and self._position == self._end):
                self._check_unchanged()
        return data

    def _check_unchanged(self) -> None:
        now = os.fstat(self._descriptor)
        if (now.st_size, now.st_mtime_ns) != (self._status.st_size, self._status.st_mtime_ns):
            raise StorageError(
                f"Changed while it was read: {self._key}",
                key=self._key,
                store=self._label,
                code="object-changed",
                hint="Read it again when nobody writes to it.",
            )

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
