"""The bytes of an archive, read once from beginning to end and hashed as they pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from archive_tui.errors import IntegrityError


class ArchiveStream:
    """The bytes of the archive from its beginning, hashed as they pass."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._hash = hashlib.sha256()
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
            self._hash.update(chunk)
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
        """Reads the central directory and what follows; returns the digest of the whole."""
        rest = hashlib.sha256()
        while self.position < size:
            rest.update(self.take_some(size - self.position))
        if rest.hexdigest() != directory_digest or self._rest or next(self._chunks, None):
            raise IntegrityError(
                "The archive changed while it was read", code="archive-changed", hint="Run the same again."
            )
        return self._hash.hexdigest()
