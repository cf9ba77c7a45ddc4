"""Reads a file again while it is still being written, and hashes what the file system returns."""

from __future__ import annotations

import errno
import os
import threading

from archive_tui.integrity.streams import BLOCK_SIZE, hash_stream, read_chunks

TRAILING_FROM = 8 << 20
"""Bytes from which a thread trails the writer; below it a thread costs more than it saves."""


class _GrowingFile:
    """Reads as far as has been written; waits there until more is, or until the writer has ended."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0
        self._written = 0
        self._ended = False
        self._abandoned = False
        self._changed = threading.Condition()

    def written(self, total: int) -> None:
        with self._changed:
            self._written = total
            self._changed.notify()

    def end(self, *, abandoned: bool = False) -> None:
        with self._changed:
            self._ended = True
            self._abandoned = abandoned
            self._changed.notify()

    def read(self, size: int = -1, /) -> bytes:
        with self._changed:
            # Whole blocks while the writer runs: smaller reads would only cost calls.
            while not self._ended and self._written - self._position < size:
                self._changed.wait()
            if self._abandoned:
                return b""
            expected = self._written - self._position
        # At the end one read more than was written: a longer file is as wrong as a shorter one.
        block = os.pread(self._descriptor, size, self._position)
        self._position += len(block)
        if not block and expected > 0:
            raise OSError(errno.EIO, "the file is shorter than what was written to it")
        return block


class ReadBack:
    """Hashes a file from its beginning, as far as `written` says; from 8 MiB on in a thread, behind the writer.

    Memory: one block, whatever the size. End it with `finish` or `abandon` before the descriptor is closed.
    """

    def __init__(self, descriptor: int) -> None:
        self._file = _GrowingFile(descriptor)
        self._thread: threading.Thread | None = None
        self._found = ("", 0)
        self._error: OSError | None = None

    def written(self, total: int) -> None:
        """Tells that `total` bytes can be read."""
        self._file.written(total)
        if self._thread is None and total >= TRAILING_FROM:
            self._thread = threading.Thread(target=self._hash, name="read-back", daemon=True)
            self._thread.start()

    def finish(self) -> tuple[str, int]:
        """Returns digest and size of what was read, up to the true end of the file.

        Raises: OSError of the reading.
        """
        self._file.end()
        if self._thread is None:
            self._hash()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found

    def abandon(self) -> None:
        """Ends the thread, if there is one."""
        self._file.end(abandoned=True)
        if self._thread is not None:
            self._thread.join()

    def _hash(self) -> None:
        try:
            self._found = hash_stream(read_chunks(self._file, block_size=BLOCK_SIZE))
        except OSError as error:
            self._error = error
