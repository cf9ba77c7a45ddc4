"""Deflate in independent blocks: several threads compress one member, and it always gives the same bytes.

Each block ends with a sync flush, at a byte boundary, and refers to nothing before it (RFC 1951); after the last one
stands an empty final block. Functions release the GIL for nearly all of their time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from isal import isal_zlib

from archive_tui.errors import ConfigurationError

BLOCK_SIZE = 1 << 20
"""Bytes of source per block. Part of the format that we promise: another value gives other bytes."""

DEFAULT_LEVEL = -1
STREAM_END = b"\x03\x00"
"""An empty final block with fixed codes."""

_ISAL_LEVEL = 2  # 1.05 times the size of zlib's level 6 at thirteen times its speed; level 1 would be 1.12 times
_PROBE_LEVEL = 1
_PROBE_SAMPLES = 4
_PROBE_SIZE = 8 << 10
_PROBE_GAIN = 32  # a block is worth deflating when its samples shrink by at least one part in 32
_LONGEST_STORED = 0xFFFF
_SYNC_MARK = b"\x00\x00\xff\xff"
"""The empty stored block of a sync flush, its header of three bits before it."""

_LAST_STORED_SIZE = BLOCK_SIZE % _LONGEST_STORED
_LAST_STORED = struct.pack("<B2H", 0, _LAST_STORED_SIZE, _LAST_STORED_SIZE ^ _LONGEST_STORED)
"""The header of the last piece of a whole block that is stored, which has no sync flush behind it."""


def check_level(level: int) -> int:
    """Returns `level` as it is: -1 the default (fast), 0 stored, 1 to 9 as in zlib.

    Raises: ConfigurationError.
    """
    if isinstance(level, bool) or not isinstance(level, int) or not -1 <= level <= 9:
        raise ConfigurationError(
            f"Not a compression level: {level!r}", hint="Use -1 (fast), 0 (stored) or 1 to 9 (as in zlib)."
        )
    return level


def deflate_whole(data: bytes, level: int) -> bytes | None:
    """Returns `data` as one complete deflate stream, or None when storing it is not longer."""
    if len(data) > BLOCK_SIZE:
        view = memoryview(data)
        blocks = [deflate_block(view[start : start + BLOCK_SIZE], level) for start in range(0, len(data), BLOCK_SIZE)]
        deflated = b"".join([*blocks, STREAM_END])
    elif level == 0 or _is_incompressible(data, level):
        return None
    elif level == DEFAULT_LEVEL:
        deflated = _deflate_isal(data, _ISAL_LEVEL, isal_zlib.Z_FINISH)
    else:
        deflated = zlib.compress(data, level, -zlib.MAX_WBITS)
    return deflated if len(deflated) < len(data) else None


def deflate_block(data: bytes | memoryview, level: int) -> bytes:
    """Returns one block, to be followed by others and by `STREAM_END`; never longer than stored blocks are."""
    if _is_incompressible(data, level):
        return _store_block(data)
    if level == DEFAULT_LEVEL:
        deflated = _deflate_isal(data, _ISAL_LEVEL, isal_zlib.Z_SYNC_FLUSH)
    else:
        stream = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        deflated = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
    return deflated if len(deflated) < len(data) else _store_block(data)


def block_ends(packed: bytes) -> Iterator[int]:
    """Yields the places in `packed` where a block may end: nearly all of them are, and none is missing that lies so far
    behind the beginning that the mark of its end is in there whole."""
    places = {place + len(_SYNC_MARK) for place in _find_all(packed, _SYNC_MARK)}
    places.update(place + len(_LAST_STORED) + _LAST_STORED_SIZE for place in _find_all(packed, _LAST_STORED))
    yield from sorted(place for place in places if place <= len(packed))


def _find_all(packed: bytes, mark: bytes) -> Iterator[int]:
    place = packed.find(mark)
    while place >= 0:
        yield place
        place = packed.find(mark, place + 1)


def crc32(data: bytes | memoryview, value: int = 0) -> int:
    checksum: int = isal_zlib.crc32(data, value)
    return checksum


def _is_incompressible(data: bytes | memoryview, level: int) -> bool:
    """Judges a block by samples at fixed places: the answer depends on its bytes alone."""
    if level != DEFAULT_LEVEL or len(data) < 2 * _PROBE_SAMPLES * _PROBE_SIZE:
        return False
    view = memoryview(data)
    step = (len(view) - _PROBE_SIZE) // (_PROBE_SAMPLES - 1)
    samples = b"".join(view[place : place + _PROBE_SIZE] for place in range(0, step * _PROBE_SAMPLES, step))
    probe = _deflate_isal(samples, _PROBE_LEVEL, isal_zlib.Z_FINISH)
    return len(probe) > len(samples) - len(samples) // _PROBE_GAIN


def _deflate_isal(data: bytes | memoryview, level: int, flush: int) -> bytes:
    # Not `isal_zlib.compress`: of some dozen bytes its one-shot function gives, in about one process of thirty, other
    # bytes than before (seen with isal 1.9.1, levels 1 and 2). A stream object has given the same ones every time.
    stream = isal_zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated: bytes = stream.compress(data) + stream.flush(flush)
    return deflated


def _store_block(data: bytes | memoryview) -> bytes:
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    for start in range(0, len(view), _LONGEST_STORED):
        piece = view[start : start + _LONGEST_STORED]
        pieces += [struct.pack("<B2H", 0, len(piece), len(piece) ^ _LONGEST_STORED), piece]
    return b"".join(pieces)
