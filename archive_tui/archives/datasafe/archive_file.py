"""The archive of a dataset as a file object, for programs that read it themselves."""

from __future__ import annotations

import io
from typing import IO

from archive_tui.archives.datasafe.safe import StoredArchive
from archive_tui.objects.object_store import ObjectReader

BUFFER = 1 << 20


def open_archive_file(archive: StoredArchive) -> IO[bytes]:
    """Opens an archive to be read once from its beginning; nothing but a buffer of it is in memory."""
    return io.BufferedReader(_RawArchive(archive.store.open(archive.key)), BUFFER)


class _RawArchive(io.RawIOBase):
    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._reader.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
        super().close()
