"""The only loops over content: everything that reads bytes to the end does it through these functions.

A *stream* is an iterable of bytes-like chunks; its producer never changes a chunk after handing it on.
Memory is bounded by a few blocks, whatever the length of the content; a stop is obeyed within one block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from archive_tui.progress import StopSignal, check_stop, never

BLOCK_SIZE = 1 << 20
"""Bytes read at a time. 1 MiB keeps SHA-256 at the speed of the processor; smaller costs calls, larger cache."""

Chunk = bytes | bytearray | memoryview


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def read_chunks(readable: Readable, *, block_size: int = BLOCK_SIZE, stop: StopSignal = never) -> Iterator[bytes]:
    """Yields what `readable` holds, in chunks of at most `block_size` bytes.

    Raises: OperationStopped between two chunks; what `readable.read` raises.
    """
    while True:
        check_stop(stop)
        chunk = readable.read(block_size)
        if not chunk:
            return
        yield chunk


class HashingStream:
    """Passes a stream on unchanged; `digest` and `size` are those of all that has passed so far."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = chunks
        self._hash = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            self.size += len(chunk)
            yield chunk

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def hash_stream(chunks: Iterable[Chunk], *, done: Callable[[int], None] | None = None) -> tuple[str, int]:
    """Returns the digest and the number of bytes of a stream; `done` receives the absolute count after each chunk."""
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if done is not None:
            done(size)
    return digest.hexdigest(), size


class StreamReader:
    """A stream as an object with `read`, for libraries that want one. Not seekable."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        parts: list[memoryview] = []
        wanted = size
        while wanted != 0:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
                continue
            take = len(self._rest) if wanted < 0 else min(wanted, len(self._rest))
            parts.append(self._rest[:take])
            self._rest = self._rest[take:]
            if wanted > 0:
                wanted -= take
        return b"".join(parts)
