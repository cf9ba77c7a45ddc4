"""Reads a file again while it is still being written, and compares what the file system returns with what was sent.

Comparing costs a tenth of hashing a second time and proves the same: equal bytes have the digest that is known.
"""

from __future__ import annotations

import os

from archive_tui.integrity.streams import BLOCK_SIZE, Chunk

TRAILING_FROM = 4 << 20
"""Bytes from which each chunk is read back as soon as it is written; a smaller file is read when it is durable."""


class ReadBack:
    """Follows the writer of a file through a second descriptor.

    Memory: the chunks of the first 4 MiB, then one block, whatever the size.
    """

    def __init__(self, descriptor: int, *, begin: int = 0) -> None:
        """`begin`: bytes of the file that were there before, and are not compared."""
        self._descriptor = descriptor
        self._waiting: list[Chunk] = []
        self._written = begin
        self._position = begin
        self._is_equal = True

    def written(self, chunk: Chunk) -> None:
        """Takes the next bytes, which can be read by now; they do not change any more.

        Raises: OSError of the reading.
        """
        self._waiting.append(chunk)
        self._written += len(chunk)
        if self._written >= TRAILING_FROM:
            self._compare_waiting()

    def finish(self) -> bool:
        """Returns whether the file holds exactly what was written.

        Raises: OSError of the reading.
        """
        self._compare_waiting()
        # What was read back early may have been cut since, and a longer file is as wrong as a shorter one.
        return self._is_equal and os.fstat(self._descriptor).st_size == self._position

    def _compare_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for chunk in waiting:
            for start in range(0, len(chunk), BLOCK_SIZE):
                sent = chunk if len(chunk) <= BLOCK_SIZE else chunk[start : start + BLOCK_SIZE]
                # A memoryview would be compared element by element.
                sent = bytes(sent) if isinstance(sent, memoryview) else sent
                self._is_equal = self._is_equal and self._read(len(sent)) == sent
                self._position += len(sent)

    def _read(self, size: int) -> bytes:
        block = os.pread(self._descriptor, size, self._position)
        if len(block) == size:
            return block
        pieces = [block]
        while block and (missing := size - sum(map(len, pieces))):
            block = os.pread(self._descriptor, missing, self._position + size - missing)
            pieces.append(block)
        return b"".join(pieces)
