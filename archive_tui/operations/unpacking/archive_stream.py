"""The bytes of an archive, read once from beginning to end and hashed as they pass."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future

from archive_tui.errors import IntegrityError

_CHUNKS_AHEAD = 4


class ArchiveStream:
    """Hands out the bytes of `chunks` in the lengths asked for; `executor`, of one thread, hashes them meanwhile."""

    def __init__(self, chunks: Iterator[bytes], executor: Executor) -> None:
        self._chunks = chunks
        self._executor = executor
        self._rest = memoryview(b"")
        self._hash = hashlib.sha256()
        self._hashing: deque[Future[None]] = deque()
        self.position = 0

    def take_some(self, most: int) -> memoryview:
        """Returns at least one and at most `most` bytes. Raises: IntegrityError at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise IntegrityError(
                    f"The archive ends after {self.position} bytes, earlier than its structure says",
                    code="archive-truncated",
                    hint="Read it again; if it stays so, fetch it from another copy.",
                )
            self._hash_later(chunk)
            self._rest = memoryview(chunk)
        piece = self._rest[:most]
        self._rest = self._rest[most:]
        self.position += len(piece)
        return piece

    def take(self, length: int) -> bytes | memoryview:
        """Returns exactly `length` bytes. Raises: IntegrityError at the end."""
        if length <= len(self._rest):
            return self.take_some(length) if length else b""
        pieces = [self.take_some(length)]
        missing = length - len(pieces[0])
        while missing:
            pieces.append(self.take_some(missing))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def finish(self, directory_digest: str, size: int) -> str:
        """Reads the central directory and what follows; returns the digest of the whole.

        Raises: IntegrityError when this is not what the structure was read from.
        """
        rest = hashlib.sha256()
        while self.position < size:
            rest.update(self.take_some(size - self.position))
        if rest.hexdigest() != directory_digest or self._rest or next(self._chunks, None):
            raise IntegrityError(
                "The archive changed while it was read", code="archive-changed", hint="Run the same again."
            )
        while self._hashing:
            self._hashing.popleft().result()
        return self._hash.hexdigest()

    def _hash_later(self, chunk: bytes) -> None:
        self._hashing.append(self._executor.submit(self._hash.update, chunk))
        if len(self._hashing) > _CHUNKS_AHEAD:
            self._hashing.popleft().result()
