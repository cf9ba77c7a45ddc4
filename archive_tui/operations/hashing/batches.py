"""Some hundred files that are hashed together, and the digests of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, repeat
from typing import Generic, NamedTuple, TypeVar

from archive_tui.operations.hashing.small_files import LARGER, SmallDigests

BATCH_FILES = 256

DIGEST_BYTES = 32

Tag = TypeVar("Tag")


class HashedFile(NamedTuple):
    """`digest` is None when the file could not be read; `error` then is the OSError, and None otherwise."""

    path: str
    size: int
    digest: str | None
    error: OSError | None


_make_file = partial(tuple.__new__, HashedFile)


class HashBatch(Generic[Tag]):
    """`digests` are those of all paths in one piece, 32 bytes each, `errors` by position; `changed` are the positions
    of files that were written to while they were read, in any order; `tag` is the caller's. `weight`: as how many files
    it counts while it waits to be yielded; None: as its own."""

    __slots__ = (
        "changed",
        "digests",
        "errors",
        "impossible",
        "is_done",
        "paths",
        "sizes",
        "tag",
        "unfinished",
        "weight",
    )

    def __init__(self, paths: Sequence[str], tag: Tag, weight: int | None = None) -> None:
        self.paths = paths
        self.tag = tag
        self.weight = len(paths) if weight is None else weight
        self.sizes: list[int] = []
        self.digests: bytes | bytearray = b""
        self.errors: dict[int, OSError] = {}
        self.changed: list[int] = []
        self.unfinished = 0
        self.is_done = False
        self.impossible: list[int] = []

    def encode_names(self) -> bytes:
        """Returns the paths with a NUL between them; empty ones for those that no file can have, which are noted."""
        joined = "\0".join(self.paths)
        try:
            names = os.fsencode(joined)
            if names.count(b"\0") == len(self.paths) - 1:
                return names
        except UnicodeEncodeError:
            pass
        encoded = [_encode_name(path) for path in self.paths]
        self.impossible = [position for position, name in enumerate(encoded) if name is None]
        return b"\0".join(name or b"" for name in encoded)

    def take_small(self, answer: SmallDigests) -> list[tuple[int, int]]:
        """Takes over what was found; returns position and size of each file that is still to be hashed."""
        self.sizes, self.digests, numbers, self.changed = answer
        if not numbers:
            return []
        for position in self.impossible:
            numbers[position] = errno.EINVAL
        larger = [(position, self.sizes[position]) for position, number in numbers.items() if number == LARGER]
        self.errors = {position: make_error(number) for position, number in numbers.items() if number != LARGER}
        if larger:
            self.digests = bytearray(self.digests)
        self.unfinished = len(larger)
        return larger

    def take_large(self, position: int, size: int, digest: bytes, error: OSError | None, *, is_changed: bool) -> None:
        """Takes over the result for a file that was still to be hashed."""
        if is_changed:
            self.changed.append(position)
        self.sizes[position] = size
        assert isinstance(self.digests, bytearray)
        self.digests[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES] = digest
        if error is not None:
            self.errors[position] = error
        self.unfinished -= 1

    def hex_digests(self) -> list[str]:
        """Those of files that could not be read say nothing."""
        text = self.digests.hex()
        width = 2 * DIGEST_BYTES
        return [text[start : start + width] for start in range(0, len(text), width)]

    def files(self) -> list[HashedFile]:
        files = list(map(_make_file, zip(self.paths, self.sizes, self.hex_digests(), repeat(None), strict=False)))
        for position, error in self.errors.items():
            files[position] = HashedFile(self.paths[position], self.sizes[position], None, error)
        return files


def _encode_name(path: str) -> bytes | None:
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        return None
    return None if b"\0" in name else name


def make_error(number: int) -> OSError:
    """Returns the error of that number; EINVAL, which the system would explain badly, says what is the matter."""
    return OSError(number, "Not a regular file" if number == errno.EINVAL else os.strerror(number))


def batch_sizes(*, in_order: bool) -> Iterator[int]:
    """Yields how many files each batch takes, without end. In order, the first ones are alone: where there are a few
    huge files, the result of one does not wait for the next. From the thousandth on, a batch is a batch."""
    if in_order:
        yield from repeat(1, 64)
        yield from repeat(min(16, BATCH_FILES), 64)
    yield from repeat(BATCH_FILES)


def cut_batches(paths: Iterable[str], *, in_order: bool = False) -> Iterator[HashBatch[None]]:
    """Yields batches of at most 256 paths."""
    source = iter(paths)
    for size in batch_sizes(in_order=in_order):
        part = list(islice(source, size))
        if not part:
            return
        yield HashBatch(part, None)
