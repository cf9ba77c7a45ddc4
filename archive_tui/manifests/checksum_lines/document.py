"""The bytes of a manifest: one open file, read block by block, as often as somebody asks."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import IO

from archive_tui.errors import ManifestError, SourceNotFound, SourceUnreadable
from archive_tui.integrity.streams import Readable
from archive_tui.names.display import escape_for_display

STANDARD_INPUT = "-"

COPY_BLOCK = 1 << 20


class ManifestDocument:
    """One open file; reads name their place, so that several readers do not disturb each other.

    `where` is the path as it was typed. What is no regular file (standard input, a pipe) is copied to a temporary
    file without a name first.
    """

    def __init__(self, path: Path | str) -> None:
        """Raises: SourceNotFound, SourceUnreadable, ManifestError with code `manifest-copy`."""
        self.where = os.fspath(path)
        self._file = self._open()

    def _open(self) -> io.FileIO | IO[bytes]:
        if self.where == STANDARD_INPUT:
            if sys.stdin is None:
                raise self._unreadable(OSError(errno.EBADF, os.strerror(errno.EBADF)))
            return self._copy(sys.stdin.buffer)
        try:
            file = io.FileIO(self.where)
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file
        with file:
            return self._copy(file)

    def _copy(self, source: Readable) -> IO[bytes]:
        try:
            copy = tempfile.TemporaryFile()  # noqa: SIM115 - it stays open
        except OSError as error:
            raise self._not_copied(error) from error
        try:
            while block := self._read_source(source):
                self._write_copy(copy, block)
        except BaseException:
            copy.close()
            raise
        return copy

    def _read_source(self, source: Readable) -> bytes:
        try:
            return source.read(COPY_BLOCK)
        except OSError as error:
            raise self._unreadable(error) from error

    def _write_copy(self, copy: IO[bytes], block: bytes) -> None:
        try:
            copy.write(block)
            copy.flush()
        except OSError as error:
            raise self._not_copied(error) from error

    def _not_copied(self, error: OSError) -> ManifestError:
        return ManifestError(
            f"Cannot keep a copy of the manifest {self._shown}: {error.strerror or error}",
            hint="It is no file that can be read twice. Make room for temporary files, or save it to a file.",
            code="manifest-copy",
        )

    @property
    def size(self) -> int:
        """Bytes, at this moment."""
        return os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Returns at most `size` bytes; none at the end, or behind it when the file has become shorter.

        Raises: SourceUnreadable.
        """
        try:
            return os.pread(self._file.fileno(), size, offset)
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error

    def read_whole(self, limit: int) -> bytes | None:
        """Returns all bytes, or None when there are more than `limit`.

        Raises: SourceUnreadable.
        """
        blocks, offset = [], 0
        while offset <= limit and (block := self.read(offset, min(COPY_BLOCK, limit + 1 - offset))):
            blocks.append(block)
            offset += len(block)
        return None if offset > limit else b"".join(blocks)

    def _unreadable(self, error: OSError | ValueError) -> SourceNotFound | SourceUnreadable:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return SourceNotFound(f"There is no manifest {self._shown}: {error.strerror}", path=self.where)
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return SourceUnreadable(
            f"Cannot read the manifest {self._shown}: {reason}", path=self.where, hint="Is it a file that you may read?"
        )

    @property
    def _shown(self) -> str:
        return "from standard input" if self.where == STANDARD_INPUT else escape_for_display(self.where)

    def close(self) -> None:
        """May be called twice; afterwards nothing can be read."""
        self._file.close()
