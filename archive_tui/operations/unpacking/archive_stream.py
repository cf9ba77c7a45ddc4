"""The bytes of an archive, read once from beginning to end and hashed as they pass."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import Protocol

from archive_tui.errors import IntegrityError
from archive_tui.integrity.streams import Chunk, RunningDigest

_CHUNKS_AHEAD = 4


class SavingDigest(Protocol):
    """`ResumableSha256`, of whose module nothing is needed to read an archive once."""

    @property
    def size(self) -> int: ...

    def update(self, data: Chunk, /) -> None: ...

    def hexdigest(self) -> str: ...

    def save(self) -> bytes: ...


class ArchiveStream:
    """Hands out the bytes of `chunks` in the lengths asked for; `executor`, of one thread, hashes them meanwhile.

    `digest` goes on in the middle of the archive, and its state is kept each time another `every` bytes have been read.
    """

    def __init__(
        self, chunks: Iterator[bytes], executor: Executor, digest: SavingDigest | None = None, every: int = 0
    ) -> None:
        self._chunks = chunks
        self._executor = executor
        self._rest = memoryview(b"")
        self._hash: RunningDigest = hashlib.sha256() if digest is None else digest
        self._hashing: deque[Future[None]] = deque()
        self._saving = digest
        self._every = every
        self._saved: Future[tuple[int, bytes]] | None = None
        self.position = self._saved_at = 0 if digest is None else digest.size

    @property
    def has_saved(self) -> bool:
        """True when there is a state of the digest to be taken."""
        return self._saved is not None

    def take_saved(self) -> tuple[int, bytes]:
        """Returns how many bytes have given which state of the digest; once for each state. Not more than were handed
        out."""
        assert self._saved is not None
        saved, self._saved = self._saved, None
        return saved.result()

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
            self._save_when_due()
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

    def _save_when_due(self) -> None:
        """All that was fetched has been handed out, and is hashed before the state is asked for."""
        if self._saving is not None and self.position - self._saved_at >= self._every:
            self._saved_at = self.position
            self._saved = self._executor.submit(_save, self._saving)

    def _hash_later(self, chunk: bytes) -> None:
        self._hashing.append(self._executor.submit(self._hash.update, chunk))
        if len(self._hashing) > _CHUNKS_AHEAD:
            self._hashing.popleft().result()


def _save(digest: SavingDigest) -> tuple[int, bytes]:
    return digest.size, digest.save()
