"""Reads single members of an archive: local header, content and data descriptor, each against the central directory.

What contradicts the directory is a hostile or broken structure and raises; content that is not what its checksum says
is damage, and is returned.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, cast

from isal import isal_zlib

from archive_tui.operations.unpacking.central_directory import ArchiveMember, check_extra, refuse_member, split_extra
from archive_tui.operations.zip_format import (
    DEFLATED,
    DESCRIPTOR_SIGNATURE,
    LOCAL_HEADER,
    LOCAL_SIGNATURE,
    MAX_32,
    ZIP64_EXTRA,
)

_InflateError = cast(type[Exception], isal_zlib.error)  # its stub calls it an instance
_DESCRIPTORS = {12: "<3L", 16: "<4x3L", 20: "<L2Q", 24: "<4xL2Q"}


class DamagedContent(Exception):
    """The bytes of a member do not inflate, or are not as many as declared. Never leaves this package's operations."""


def check_local_header(member: ArchiveMember, record: bytes | memoryview, record_size: int) -> tuple[int, int]:
    """Returns where the content of a member begins and ends in its record, of which `record` is the beginning.

    Raises: HostileArchive: archive-local-header, archive-gap, and the codes of extra fields.
    """
    if len(record) < LOCAL_HEADER.size:
        raise refuse_member("archive-local-header", member.path, "the local header of a member is cut short")
    fixed = LOCAL_HEADER.unpack_from(record)
    signature, _, flags, method, time, date, crc, compressed_size, size, name_size, extra_size = fixed
    name_end = LOCAL_HEADER.size + name_size
    if signature != LOCAL_SIGNATURE or bytes(record[LOCAL_HEADER.size : name_end]) != member.raw_name:
        raise refuse_member("archive-local-header", member.path, "the local header of a member has another name")
    if (flags, method, date << 16 | time) != (member.flags, member.method, member.time_and_date):
        raise refuse_member(
            "archive-local-header", member.path, "the two headers of a member disagree (flags, method or time)"
        )
    if extra_size:
        compressed_size, size = _check_local_extra(
            member, bytes(record[name_end : name_end + extra_size]), compressed_size, size
        )
    declared = (crc, compressed_size, size)
    expected = (member.crc, member.compressed_size, member.size)
    # A stream leaves to the descriptor what it does not know yet: all of it, or (Info-ZIP) all but the size.
    left_out = (0,) if member.has_descriptor else ()
    if any(value != right and value not in left_out for value, right in zip(declared, expected, strict=True)):
        raise refuse_member(
            "archive-local-header", member.path, "the two headers of a member disagree (checksum or sizes)"
        )
    start = name_end + extra_size
    end = start + member.compressed_size
    if record_size - end not in (_DESCRIPTORS if member.has_descriptor else (0,)):
        raise refuse_member("archive-gap", member.path, "bytes stand between two members")
    return start, end


def _check_local_extra(member: ArchiveMember, extra: bytes, compressed_size: int, size: int) -> tuple[int, int]:
    fields = split_extra(extra, member.path)
    check_extra(fields, member.raw_name, member.raw_name.decode("utf-8" if member.flags & 0x800 else "cp437"))
    for identifier, content in fields:
        if identifier == ZIP64_EXTRA and MAX_32 in (compressed_size, size):
            if len(content) != 16:
                raise refuse_member(
                    "archive-zip64-field", member.path, "the zip64 field of a local header is not two sizes"
                )
            wide_size, wide_compressed = struct.unpack("<2Q", content)
            size = wide_size if size == MAX_32 else size
            compressed_size = wide_compressed if compressed_size == MAX_32 else compressed_size
    return compressed_size, size


def check_descriptor(member: ArchiveMember, descriptor: bytes | memoryview) -> None:
    """Checks what follows the content of a member. Raises: HostileArchive: archive-descriptor."""
    if not member.has_descriptor:
        return
    has_signature = len(descriptor) in (16, 24)
    if has_signature and bytes(descriptor[:4]) != DESCRIPTOR_SIGNATURE:
        raise refuse_member("archive-descriptor", member.path, "the data descriptor of a member cannot be read")
    values = struct.unpack(_DESCRIPTORS[len(descriptor)], descriptor)
    if values != (member.crc, member.compressed_size, member.size):
        raise refuse_member(
            "archive-descriptor", member.path, "the data descriptor of a member disagrees with the directory"
        )


def inflate_whole(member: ArchiveMember, content: bytes | memoryview) -> bytes | memoryview:
    """Returns the content of a member, never more than it declares and one byte.

    Raises: DamagedContent.
    """
    if member.method != DEFLATED:
        return content
    stream = isal_zlib.decompressobj(-15)
    try:
        data: bytes = stream.decompress(content, member.size + 1)
    except _InflateError as error:
        raise DamagedContent(f"it cannot be inflated ({error})") from error
    _check_stream_end(member, stream, len(data))
    return data


class InflatingMember:
    """Inflates a member piece by piece; memory does not grow with it, whatever it declares."""

    def __init__(self, member: ArchiveMember, piece_size: int, size: int = 0) -> None:
        """`size`: bytes that have come out of it before, up to a place where nothing refers to what is before it."""
        self._member = member
        self._piece_size = piece_size
        self._stream: Any = isal_zlib.decompressobj(-15) if member.method == DEFLATED else None
        self._size = size

    @property
    def size(self) -> int:
        """Bytes that have come out so far."""
        return self._size

    def inflate(self, content: bytes | memoryview) -> Iterator[bytes | memoryview]:
        """Yields the pieces that `content`, the next bytes of the member, gives. Raises: DamagedContent."""
        if self._stream is None:
            self._size += len(content)
            yield content
            return
        if self._stream.eof and content:
            raise DamagedContent("bytes follow the end of its content")
        while not self._stream.eof:
            try:
                piece = self._stream.decompress(content, self._piece_size)
            except _InflateError as error:
                raise DamagedContent(f"it cannot be inflated ({error})") from error
            content = self._stream.unconsumed_tail
            self._size += len(piece)
            if self._size > self._member.size:
                raise DamagedContent(f"it is longer than the {self._member.size} bytes that it declares")
            if piece:
                yield piece
            if not content and len(piece) < self._piece_size:  # a full piece may have more behind it
                return

    def finish(self) -> None:
        """Raises: DamagedContent when the member is not complete."""
        if self._stream is not None:
            _check_stream_end(self._member, self._stream, self._size)
        elif self._size != self._member.size:
            raise DamagedContent(f"it has {self._size} bytes instead of {self._member.size}")


def _check_stream_end(member: ArchiveMember, stream: Any, size: int) -> None:
    if size > member.size:
        raise DamagedContent(f"it is longer than the {member.size} bytes that it declares")
    if not stream.eof:
        raise DamagedContent("its content is cut short")
    if size != member.size:
        raise DamagedContent(f"it has {size} bytes instead of {member.size}")
    if stream.unused_data or stream.unconsumed_tail:
        raise DamagedContent("bytes follow the end of its content")
