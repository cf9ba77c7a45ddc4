"""Cuts a stream into payloads that can be sent again."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archive_tui.integrity.streams import Chunk
from archive_tui.objects.s3.connection import Payload

MIB = 1 << 20
SMALLEST_PART = 16 * MIB
MOST_PARTS = 10_000
PIECE = 256 << 10
"""Bytes of the writes to the socket: so often stop is looked at and progress told."""

MOST_BYTES_IN_FLIGHT = 64 * MIB
"""Of all parts that are under way together."""

_GROWTH = ((1_000, 1), (3_000, 4), (6_000, 16), (MOST_PARTS, 72))
"""Up to part number n, parts have so many times the smallest size: together more than 5 TiB."""


def part_size(number: int, total: int | None, smallest: int = SMALLEST_PART) -> int:
    """Returns the bytes of part `number` (from 1). All alike when the total is known, else growing."""
    if total is not None:
        return max(smallest, -(-total // (MOST_PARTS - 100) // MIB) * MIB)
    return smallest * next(times for last, times in _GROWTH if number <= last)


@dataclass(frozen=True, slots=True)
class TransferSizes:
    """Bytes at which a put changes its way.

    A source that can be read again and whose digest and size are known goes in one request of up to `attested_put`
    bytes, streamed when it has more than `in_memory`: the server then attests its SHA-256 as a whole. Of any other, up
    to `single_put` bytes are held and sent so. What is longer goes in parts of `part` bytes and up; where unfinished
    uploads are remembered, so does all above `continued_put` bytes. A page of a listing has up to `page` keys; no
    server gives more than 1,000."""

    in_memory: int = 4 * MIB
    single_put: int = 64 * MIB
    attested_put: int = 5 << 30
    continued_put: int = 1 << 30
    part: int = SMALLEST_PART
    page: int = 1000


class PieceQueue:
    """Chunks on their way; small ones are joined, large ones are cut without copying."""

    def __init__(self) -> None:
        self._pieces: deque[Chunk] = deque()
        self._small = bytearray()
        self.size = 0

    def add(self, chunk: Chunk) -> None:
        self.size += len(chunk)
        if len(chunk) < PIECE // 4:
            self._small += chunk
            if len(self._small) >= PIECE:
                self._flush()
            return
        self._flush()
        view = memoryview(chunk)
        self._pieces.extend(view[start : start + PIECE] for start in range(0, len(view), PIECE))

    def take(self, size: int) -> tuple[Chunk, ...]:
        """Removes and returns the first `size` bytes, or what there is."""
        self._flush()
        taken: list[Chunk] = []
        while size > 0 and self._pieces:
            piece = self._pieces.popleft()
            if len(piece) > size:
                view = memoryview(piece)
                self._pieces.appendleft(view[size:])
                piece = view[:size]
            taken.append(piece)
            size -= len(piece)
            self.size -= len(piece)
        return tuple(taken)

    def put_back(self, pieces: Sequence[Chunk]) -> None:
        """Makes what was taken the beginning again."""
        self._pieces.extendleft(reversed(pieces))
        self.size += sum(len(piece) for piece in pieces)

    def _flush(self) -> None:
        if self._small:
            self._pieces.append(self._small)
            self._small = bytearray()


def cut_pieces(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yields the stream in pieces of at most `PIECE` bytes, and not many smaller ones."""
    queue = PieceQueue()
    for chunk in chunks:
        queue.add(chunk)
        if queue.size >= PIECE:
            yield from queue.take(queue.size)
    yield from queue.take(queue.size)


def make_payload(pieces: Sequence[Chunk], digest: str | None = None) -> Payload:
    """Hashes the pieces, unless the digest is known."""
    if digest is None:
        hashed = hashlib.sha256()
        for piece in pieces:
            hashed.update(piece)
        digest = hashed.hexdigest()
    return Payload(pieces, sum(len(piece) for piece in pieces), digest)
