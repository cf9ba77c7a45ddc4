"""The records of a zip file, written byte by byte, so that the same members always give the same bytes.

Source of the format: APPNOTE.TXT 6.3.10 of PKWARE. Times are 1980-01-01 00:00, the earliest the format knows; the
host system is Unix, so that the permission bits count; there are no comments and no other extra fields than zip64.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

LOCAL_HEADER = struct.Struct("<4s5H3L2H")
CENTRAL_HEADER = struct.Struct("<4s4B4H3L5H2L")
END_RECORD = struct.Struct("<4s4H2LH")
ZIP64_END_RECORD = struct.Struct("<4sQ2H2L4Q")
ZIP64_LOCATOR = struct.Struct("<4sLQL")

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
ZIP64_END_SIGNATURE = b"PK\x06\x06"
ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

STORED = 0
DEFLATED = 8

FLAG_ENCRYPTED = 0x0001
FLAG_DESCRIPTOR = 0x0008
FLAG_UTF8 = 0x0800

ZIP64_EXTRA = 0x0001
MAX_16 = 0xFFFF
MAX_32 = 0xFFFFFFFF

ZIP64_MEMBER_SIZE = (4 << 30) - (64 << 20)
"""Members of unknown compressed length get zip64 fields from this size on; the distance to 4 GiB is more than
deflate's stored blocks can add (5 bytes in 65,535)."""

ZIP64_LIMIT = MAX_32
"""Offsets and sizes from this value on need zip64 fields; tests lower it."""

ZIP64_COUNT = MAX_16
"""Numbers of members from this value on need the zip64 end record."""

_DOS_DATE_1980 = (1 << 5) | 1
_UNIX = 3
_VERSION_PLAIN = 20
_VERSION_ZIP64 = 45
_MODE_FILE = 0o100644
_MODE_EXECUTABLE = 0o100755


class PackedMember(NamedTuple):
    """A member whose bytes are packed. `size` and `compressed_size` in bytes; `record_size` is the length of everything
    that stands in the archive for it before the central directory; `digest` is the SHA-256 of the content."""

    path: str
    method: int
    flags: int
    crc: int
    compressed_size: int
    size: int
    is_executable: bool
    digest: str
    record_size: int
    is_zip64: bool = False


def name_flags(path: str) -> int:
    return 0 if path.isascii() else FLAG_UTF8


def needs_zip64(size: int) -> bool:
    """Whether a member of `size` source bytes gets zip64 fields, decided before it is compressed."""
    return size >= min(ZIP64_MEMBER_SIZE, ZIP64_LIMIT)


def format_local_header(path: str, method: int, flags: int, crc: int, compressed_size: int, size: int) -> bytes:
    """Header of a member whose sizes are known; they are below `ZIP64_LIMIT`."""
    name = path.encode()
    return (
        LOCAL_HEADER.pack(
            LOCAL_SIGNATURE, _VERSION_PLAIN, flags, method, 0, _DOS_DATE_1980, crc, compressed_size, size, len(name), 0
        )
        + name
    )


def format_stored_header(path: str, size: int, crc: int) -> bytes:
    """Header of a member that is stored and whose size is known, however large it is."""
    flags = name_flags(path)
    if size < ZIP64_LIMIT:
        return format_local_header(path, STORED, flags, crc, size, size)
    name = path.encode()
    extra = struct.pack("<2H2Q", ZIP64_EXTRA, 16, size, size)
    fixed = LOCAL_HEADER.pack(
        LOCAL_SIGNATURE, _VERSION_ZIP64, flags, STORED, 0, _DOS_DATE_1980, crc, MAX_32, MAX_32, len(name), len(extra)
    )
    return fixed + name + extra


def format_streamed_header(path: str, method: int, *, is_zip64: bool) -> bytes:
    """Header of a member whose checksum and sizes follow in a data descriptor."""
    name = path.encode()
    flags = name_flags(path) | FLAG_DESCRIPTOR
    version = _VERSION_ZIP64 if is_zip64 else _VERSION_PLAIN
    sizes = MAX_32 if is_zip64 else 0
    extra = struct.pack("<2H2Q", ZIP64_EXTRA, 16, 0, 0) if is_zip64 else b""
    fixed = LOCAL_HEADER.pack(
        LOCAL_SIGNATURE, version, flags, method, 0, _DOS_DATE_1980, 0, sizes, sizes, len(name), len(extra)
    )
    return fixed + name + extra


def format_descriptor(crc: int, compressed_size: int, size: int, *, is_zip64: bool) -> bytes:
    return struct.pack("<4sL2Q" if is_zip64 else "<4s3L", DESCRIPTOR_SIGNATURE, crc, compressed_size, size)


def format_central_record(member: PackedMember, offset: int) -> bytes:
    """The entry of the central directory for a member whose local header stands at `offset`."""
    name = member.path.encode()
    large = [value for value in (member.size, member.compressed_size) if member.is_zip64 or value >= ZIP64_LIMIT]
    if offset >= ZIP64_LIMIT:
        large.append(offset)
    extra = struct.pack(f"<2H{len(large)}Q", ZIP64_EXTRA, 8 * len(large), *large) if large else b""
    version = _VERSION_ZIP64 if large else _VERSION_PLAIN
    mode = _MODE_EXECUTABLE if member.is_executable else _MODE_FILE
    fixed = CENTRAL_HEADER.pack(
        CENTRAL_SIGNATURE, version, _UNIX, version, 0, member.flags, member.method, 0, _DOS_DATE_1980, member.crc,
        _saturated(member.compressed_size, member.is_zip64), _saturated(member.size, member.is_zip64),
        len(name), len(extra), 0, 0, 0, mode << 16, _saturated(offset),
    )  # fmt: skip
    return fixed + name + extra


def format_end(count: int, directory_offset: int, directory_size: int) -> bytes:
    """What closes the archive: the zip64 end record and its locator where they are needed, then the end record."""
    zip64 = b""
    if count >= ZIP64_COUNT or directory_offset >= ZIP64_LIMIT or directory_size >= ZIP64_LIMIT:
        zip64 = ZIP64_END_RECORD.pack(
            ZIP64_END_SIGNATURE, ZIP64_END_RECORD.size - 12, _VERSION_ZIP64 | _UNIX << 8, _VERSION_ZIP64, 0, 0,
            count, count, directory_size, directory_offset,
        ) + ZIP64_LOCATOR.pack(ZIP64_LOCATOR_SIGNATURE, 0, directory_offset + directory_size, 1)  # fmt: skip
    short_count = MAX_16 if count >= ZIP64_COUNT else count
    sizes = (_saturated(directory_size), _saturated(directory_offset))
    return zip64 + END_RECORD.pack(END_SIGNATURE, 0, 0, short_count, short_count, *sizes, 0)


def _saturated(value: int, always: bool = False) -> int:
    return MAX_32 if always or value >= ZIP64_LIMIT else value
