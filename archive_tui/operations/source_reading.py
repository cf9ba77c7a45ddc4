"""Reads the files of a scan, and notices when one is no longer what the scan saw."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from archive_tui.errors import SourceChanged
from archive_tui.names.display import escape_for_display
from archive_tui.operations.contained_open import translate_read_error
from archive_tui.operations.source_scan import SourceFile, SourceScan

_OWNER_EXECUTE = 0o100


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A file that was found as the scan saw it, open for reading; the caller closes `fd`."""

    file: SourceFile
    fd: int
    is_executable: bool

    def read_at(self, offset: int, length: int) -> bytes:
        """Returns exactly `length` bytes.

        Raises: SourceChanged when the file has become shorter, SourceError when it cannot be read.
        """
        try:
            data = os.pread(self.fd, length, offset)
            if len(data) == length:
                return data
            pieces = [data]
            while data and (missing := length - sum(map(len, pieces))):
                data = os.pread(self.fd, missing, offset + length - missing)
                pieces.append(data)
        except OSError as error:
            raise translate_read_error(self.file.path, error) from error
        whole = b"".join(pieces)
        if len(whole) != length:
            raise _changed(self.file, "it became shorter")
        return whole

    def check_unchanged(self) -> None:
        """Raises: SourceChanged when the file is no longer the one that the scan saw."""
        _compare(self.file, _status(self.file, self.fd))


def open_source(scan: SourceScan, file: SourceFile) -> OpenSource:
    """Opens a file of the scan, without following symbolic links.

    Raises: SourceChanged (another size, time or file, vanished, no regular file), SourceUnreadable, SourceError, each
    naming the path.
    """
    fd = scan.open_file(file)
    try:
        status = _status(file, fd)
        _compare(file, status)
    except BaseException:
        os.close(fd)
        raise
    return OpenSource(file, fd, bool(status.st_mode & _OWNER_EXECUTE))


def _status(file: SourceFile, fd: int) -> os.stat_result:
    try:
        return os.fstat(fd)
    except OSError as error:
        raise translate_read_error(file.path, error) from error


def _compare(file: SourceFile, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _changed(file, "it is no longer a regular file")
    if status.st_size != file.size:
        raise _changed(file, f"its size went from {file.size} to {status.st_size} bytes")
    if status.st_ino != file.inode or status.st_dev != file.device:
        raise _changed(file, "another file has taken its place")
    if status.st_mtime_ns != file.mtime_ns or status.st_ctime_ns != file.ctime_ns:
        raise _changed(file, "its times moved")


def _changed(file: SourceFile, what: str) -> SourceChanged:
    return SourceChanged(
        f"Changed while it was read, {what}: {escape_for_display(file.path)}",
        path=file.path,
        hint="Wait until nothing writes to the source any more, then run the same again. Nothing was published.",
    )
