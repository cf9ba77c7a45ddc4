"""The only loops over content: everything that reads bytes to the end does it through these functions.

A *stream* is an iterable of bytes-like chunks; its producer never changes a chunk after handing it on.
Memory is bounded by a few blocks, whatever the length of the content; a stop is obeyed within one block.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import queue
import stat
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Protocol

from archive_tui.progress import StopSignal, check_stop, never

BLOCK_SIZE = 1 << 20
"""Bytes read at a time. 1 MiB keeps SHA-256 at the speed of the processor; smaller costs calls, larger cache."""

SMALL_READ = 16 << 10
"""Bytes asked of a file that is probably small; a request of 256 KiB would cost more in page faults than the file."""

MIDDLE_BLOCK = 256 << 10
"""Bytes read at a time where several cores are busy: such a block stays in the cache of its core."""

READ_AHEAD_FROM = 8 << 20
"""Bytes from which a thread that reads one buffer ahead is worth its start."""

FileDigest = tuple[int, str | None, int]
"""Size, digest, error. Without a digest, the error is the number of the system's refusal, or 0 when the file was left
for later because it is larger than asked for."""

# Without O_NONBLOCK, a pipe that took the place of a file would hang the reader.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

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


def hash_small_files(
    folder: int, names: Sequence[str], *, largest: int, stop: StopSignal = never
) -> list[FileDigest | None]:
    """Returns the digests of regular files in an open folder, in the order of `names`.

    A file of more than `largest` bytes is only measured. Symbolic links are not followed: they give ELOOP, and whatever
    else is no regular file gives EINVAL, as errors, not exceptions. After a stop the rest is None.
    """
    found: list[FileDigest | None] = []
    buffer = bytearray(MIDDLE_BLOCK)
    for position, name in enumerate(names):
        if position % 16 == 0 and stop.is_set():
            break
        try:
            found.append(_hash_small_file(folder, name, largest, buffer))
        except OSError as error:
            found.append((0, None, error.errno or errno.EIO))
    found.extend([None] * (len(names) - len(found)))
    return found


def _hash_small_file(folder: int, name: str, largest: int, buffer: bytearray) -> FileDigest:
    descriptor = os.open(name, _FILE_FLAGS, dir_fd=folder)
    try:
        content = os.read(descriptor, SMALL_READ)
        # A short read is not yet the end on every file system, and asking again costs 0.2 µs.
        if 0 < len(content) < SMALL_READ and not os.read(descriptor, 1):
            return len(content), hashlib.sha256(content).hexdigest(), 0
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return 0, None, errno.EINVAL
        if status.st_size > largest:
            return status.st_size, None, 0
        os.lseek(descriptor, 0, os.SEEK_SET)
        digest, size = hash_descriptor(descriptor, read_ahead=False, buffer=buffer)
        return size, digest, 0
    finally:
        os.close(descriptor)


def hash_descriptor(
    descriptor: int,
    *,
    done: Callable[[int], None] | None = None,
    stop: StopSignal = never,
    read_ahead: bool = True,
    buffer: bytearray | None = None,
) -> tuple[str, int]:
    """Returns the digest and the size of an open file, from where it stands to its end; holds at most 1 MiB.

    `done` receives the absolute count after each block. `read_ahead` lets a second thread read a large file while this
    one hashes; without it some per cent slower, and better when other files keep the other cores busy. `buffer` is used
    instead of a new one where a single one is enough: a new one costs its page faults.

    Raises: OSError, OperationStopped within one block.
    """
    expected = os.fstat(descriptor).st_size
    if read_ahead and expected >= READ_AHEAD_FROM:
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        blocks = _read_blocks_ahead(descriptor, stop)
    else:
        blocks = _read_blocks(descriptor, buffer or bytearray(min(max(expected, SMALL_READ), BLOCK_SIZE)), stop)
    with contextlib.closing(blocks):
        return hash_stream(blocks, done=done)


def _read_blocks(descriptor: int, buffer: bytearray, stop: StopSignal) -> Generator[memoryview, None, None]:
    """Each block is valid until the next one is asked for."""
    view = memoryview(buffer)
    while True:
        check_stop(stop)
        count = os.readv(descriptor, [view])
        if not count:
            return
        yield view[:count]


def _read_blocks_ahead(descriptor: int, stop: StopSignal) -> Generator[memoryview, None, None]:
    """Like `_read_blocks`, with a thread that fills the next buffer meanwhile; it has ended when this has."""
    free: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
    filled: queue.SimpleQueue[memoryview | BaseException] = queue.SimpleQueue()
    for _ in range(2):
        free.put(memoryview(bytearray(MIDDLE_BLOCK)))

    def fill() -> None:
        try:
            while (buffer := free.get()) is not None:
                count = os.readv(descriptor, [buffer])
                filled.put(buffer[:count])
                if not count:
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits for it
            filled.put(error)

    reader = threading.Thread(target=fill, name="read-ahead", daemon=True)
    reader.start()
    try:
        while block := filled.get():
            if isinstance(block, BaseException):
                raise block
            check_stop(stop)
            yield block
            free.put(memoryview(block.obj))
    finally:
        free.put(None)
        reader.join()
