"""The loops over content: what reads bytes to the end does it through these functions, small files in masses apart.

A *stream* is an iterable of bytes-like chunks; its producer never changes a chunk after handing it on.
Memory is bounded by a few blocks, whatever the length of the content; a stop is obeyed within one block.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from archive_tui.progress import StopSignal, check_stop, never

BLOCK_SIZE = 1 << 20
"""Bytes read at a time. 1 MiB keeps SHA-256 at the speed of the processor; smaller costs calls, larger cache."""

SMALLEST_BUFFER = 16 << 10

MIDDLE_BLOCK = 256 << 10
"""Bytes read at a time where several cores are busy: such a block stays in the cache of its core."""

ALTERNATING_FROM = 16 << 20
"""Bytes from which a second thread is worth its start."""

LOOK_AFTER = 4 << 20
"""Bytes after which it is asked whether a core is free for a second thread: files found meanwhile have started."""

ALTERNATING_BLOCK = 2 << 20
"""Bytes that each of two threads reads and then hashes itself: what it has read lies in the cache of its own core."""

Chunk = bytes | bytearray | memoryview


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class RunningDigest(Protocol):
    """What the objects of hashlib and `ResumableSha256` have in common."""

    def update(self, data: Chunk, /) -> None: ...

    def hexdigest(self) -> str: ...


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


def read_bounded(descriptor: int, limit: int) -> bytes | None:
    """Returns what the open file holds from here to its end, or None when that is more than `limit` bytes."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0:
        part = os.read(descriptor, min(left, BLOCK_SIZE))
        if not part:
            return b"".join(parts)
        parts.append(part)
        left -= len(part)
    return None


def hash_descriptor(
    descriptor: int,
    *,
    done: Callable[[int], None] | None = None,
    stop: StopSignal = never,
    read_ahead: bool | Callable[[], bool] = True,
    buffer: bytearray | None = None,
    digest: RunningDigest | None = None,
    begin: int = 0,
) -> tuple[str, int]:
    """Returns the digest and the size of an open file, from where it stands to its end; holds at most 4 MiB.

    `digest` goes on instead of a new one; it has taken `begin` bytes, which count. `done` receives the absolute count
    after each block, from two threads in turn, while nothing is being hashed. `read_ahead` lets a second thread
    read on in a large file while one hashes; without it a seventh slower, and better when other files keep the other
    cores busy; a function is asked for it after the first 4 MiB. `buffer` is used instead of a new one where a single
    one is enough: a new one costs its page faults.

    Raises: OSError, OperationStopped within one block.
    """
    expected = os.fstat(descriptor).st_size
    hashing = _Hashing(descriptor, done, stop, digest, begin)
    if expected < ALTERNATING_FROM or not read_ahead:
        hashing.take_blocks(buffer or bytearray(min(max(expected, SMALLEST_BUFFER), BLOCK_SIZE)))
    elif read_ahead is True:
        _AlternatingHash(hashing).run()
    else:
        buffer = buffer or bytearray(BLOCK_SIZE)
        hashing.take_blocks(buffer, most=begin + LOOK_AFTER)
        if read_ahead():
            _AlternatingHash(hashing).run()
        else:
            hashing.take_blocks(buffer)
    return hashing.digest.hexdigest(), hashing.size


class _Hashing:
    """What has been hashed of an open file."""

    def __init__(
        self,
        descriptor: int,
        done: Callable[[int], None] | None,
        stop: StopSignal,
        digest: RunningDigest | None,
        begin: int,
    ) -> None:
        self.descriptor = descriptor
        self.digest: RunningDigest = hashlib.sha256() if digest is None else digest
        self.size = begin
        self._done = done
        self._stop = stop

    def take(self, block: memoryview) -> None:
        """Raises: OperationStopped before it hashes."""
        check_stop(self._stop)
        self.digest.update(block)
        self.size += len(block)
        if block and self._done is not None:
            self._done(self.size)

    def take_blocks(self, buffer: bytearray, most: int | None = None) -> None:
        """Reads on to the end, or until `most` bytes are hashed.

        Raises: OSError, OperationStopped.
        """
        view = memoryview(buffer)
        while most is None or self.size < most:
            count = os.readv(self.descriptor, [view])
            self.take(view if count == len(view) else view[:count])
            if not count:
                return


class _AlternatingHash:
    """Two threads take the blocks of a file in turn: one hashes what it has read while the other reads the next."""

    def __init__(self, hashing: _Hashing) -> None:
        self._hashing = hashing
        self._descriptor = hashing.descriptor
        self._start = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        self._turns: tuple[queue.SimpleQueue[None], queue.SimpleQueue[None]] = (
            queue.SimpleQueue(),
            queue.SimpleQueue(),
        )
        self._is_over = False
        self._failure: BaseException | None = None

    def run(self) -> None:
        with contextlib.suppress(OSError):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        self._turns[0].put(None)
        other = threading.Thread(target=self._work, args=(1,), name="read-ahead", daemon=True)
        other.start()
        try:
            self._work(0)
        finally:
            other.join()
        if self._failure is not None:
            raise self._failure

    def _work(self, me: int) -> None:
        try:
            block = memoryview(bytearray(ALTERNATING_BLOCK))
            offset = self._start + me * ALTERNATING_BLOCK
            while not self._is_over:
                count = self._fill(block, offset)
                self._turns[me].get()
                self._take(block[:count])
                self._turns[1 - me].put(None)
                offset += 2 * ALTERNATING_BLOCK
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self._failure = self._failure or error
            self._is_over = True
        finally:
            self._turns[1 - me].put(None)

    def _fill(self, block: memoryview, offset: int) -> int:
        count = 0
        while count < len(block):
            read = os.preadv(self._descriptor, [block[count:]], offset + count)
            if not read:
                break
            count += read
        return count

    def _take(self, block: memoryview) -> None:
        """Hashes the next block of the file; a short one is the last."""
        if self._is_over:
            return
        self._hashing.take(block)
        self._is_over = len(block) < ALTERNATING_BLOCK
