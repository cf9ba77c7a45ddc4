"""Reads the files of a scan, and notices when one is no longer what the scan saw."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from archive_tui.errors import SourceChanged
from archive_tui.names.display import escape_for_display
from archive_tui.operations.scanning.contained_open import translate_read_error
from archive_tui.operations.scanning.source_scan import SourceFile, SourceScan

_OWNER_EXECUTE = 0o100


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A file of a scan, open for reading; the caller closes `fd`."""

    file: SourceFile
    fd: int

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

    def check_unchanged(self) -> bool:
        """Returns whether the owner of the file may execute it. Call it after the last byte was read.

        Raises: SourceChanged when the file is no longer the one that the scan saw, with the same size and times.
        """
        file = self.file
        try:
            status = os.fstat(self.fd)
        except OSError as error:
            raise translate_read_error(file.path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise _changed(file, "it is no longer a regular file")
        if status.st_size != file.size:
            raise _changed(file, f"its size went from {file.size} to {status.st_size} bytes")
        if status.st_ino != file.inode or status.st_dev != file.device:
            raise _changed(file, "another file has taken its place")
        if status.st_mtime_ns != file.mtime_ns or status.st_ctime_ns != file.ctime_ns:
            raise _changed(file, "its times moved")
        return bool(status.st_mode & _OWNER_EXECUTE)


def open_source(scan: SourceScan, file: SourceFile) -> OpenSource:
    """Opens a file of the scan, without following symbolic links.

    Raises: SourceChanged (vanished, no regular file), SourceUnreadable, SourceError, each naming the path.
    """
    return OpenSource(file, scan.open_file(file))


def read_whole(scan: SourceScan, file: SourceFile) -> tuple[bytes, bool]:
    """Returns the content of a small file, and whether its owner may execute it.

    One look at its status, after the last byte, proves as much as two: its times cannot be turned back unseen.

    Raises: as `open_source`, and SourceChanged when it is not as the scan saw it.
    """
    source = open_source(scan, file)
    try:
        return source.read_at(0, file.size), source.check_unchanged()
    finally:
        os.close(source.fd)


def _changed(file: SourceFile, what: str) -> SourceChanged:
    return SourceChanged(
        f"Changed while it was read, {what}: {escape_for_display(file.path)}",
        path=file.path,
        hint="Wait until nothing writes to the source any more, then run the same again. Nothing was published.",
    )
