"""Finds where the central directory of a zip archive lies, and refuses every second opinion about it.

Readers differ in how they look for the end record; an archive in which that matters shows different content to
different programs. So there must be exactly one, at the very end, and all records must agree (APPNOTE.TXT 4.3.14 to
4.3.16).
"""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.errors import HostileArchive
from archive_tui.operations.zip_format import (
    CENTRAL_HEADER,
    END_RECORD,
    END_SIGNATURE,
    MAX_16,
    MAX_32,
    ZIP64_END_RECORD,
    ZIP64_END_SIGNATURE,
    ZIP64_LOCATOR,
    ZIP64_LOCATOR_SIGNATURE,
)

MOST_MEMBERS = 2_000_000
"""More are refused: each costs some 500 bytes of memory to check."""

TAIL_SIZE = 128 << 10
"""Bytes read from the end at first: room for the longest comment (65,535) and the directory of a small archive."""


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """`count` members, described in `size` bytes from `offset`."""

    count: int
    offset: int
    size: int


def refuse(code: str, why: str) -> HostileArchive:
    return HostileArchive(
        f"Archive refused: {why}",
        code=code,
        hint="Nothing was unpacked. Fetch the archive from another copy, or ask who made it.",
    )


def locate_directory(tail: bytes, archive_size: int) -> DirectoryPlace:
    """Returns where the central directory lies; `tail` are the last bytes of the archive, at most `TAIL_SIZE`.

    Raises: HostileArchive: archive-no-end, archive-trailing-data, archive-two-ends, archive-comment,
    archive-several-disks, archive-zip64-locator, archive-zip64-disagrees, archive-entry-count, archive-empty,
    archive-too-many-members, archive-directory-place.
    """
    position = _find_end(tail)
    _, disk, start_disk, disk_count, count, size, offset, _ = END_RECORD.unpack_from(tail, position)
    if disk != 0 or start_disk != 0 or disk_count != count:
        raise refuse("archive-several-disks", "it claims to be one of several disks")
    end_offset = archive_size - len(tail) + position
    place = DirectoryPlace(count, offset, size)
    directory_end = end_offset
    if tail[max(0, position - ZIP64_LOCATOR.size) : position].startswith(ZIP64_LOCATOR_SIGNATURE):
        place, directory_end = _read_zip64(tail, position, archive_size, place)
    _check_place(place, directory_end)
    return place


def _find_end(tail: bytes) -> int:
    """Position of the only end record whose comment reaches exactly to the end."""
    exact: list[int] = []
    position = tail.find(END_SIGNATURE)
    seen = position >= 0
    while position >= 0:
        if position + END_RECORD.size <= len(tail):
            comment_size = END_RECORD.unpack_from(tail, position)[-1]
            if position + END_RECORD.size + comment_size == len(tail):
                exact.append(position)
        position = tail.find(END_SIGNATURE, position + 1)
    if not exact:
        if seen:
            raise refuse("archive-trailing-data", "bytes follow its end record, or it is cut short")
        raise refuse("archive-no-end", "it has no end record; it is no zip archive, or it is cut short")
    if len(exact) > 1:
        raise refuse("archive-two-ends", "it has two end records")
    comment = tail[exact[0] + END_RECORD.size :]
    if any(signature in comment for signature in (END_SIGNATURE, ZIP64_END_SIGNATURE, ZIP64_LOCATOR_SIGNATURE)):
        raise refuse("archive-comment", "its comment hides another end record")
    return exact[0]


def _read_zip64(tail: bytes, position: int, archive_size: int, short: DirectoryPlace) -> tuple[DirectoryPlace, int]:
    locator_position = position - ZIP64_LOCATOR.size
    _, disk, record_offset, disks = ZIP64_LOCATOR.unpack_from(tail, locator_position)
    if disk != 0 or disks != 1:
        raise refuse("archive-several-disks", "it claims to be one of several disks")
    record_position = record_offset - (archive_size - len(tail))
    if not 0 <= record_position <= locator_position - ZIP64_END_RECORD.size:
        raise refuse("archive-zip64-locator", "its zip64 locator points to nowhere")
    record = ZIP64_END_RECORD.unpack_from(tail, record_position)
    signature, record_size, _, _, disk, start_disk, disk_count, count, size, offset = record
    if signature != ZIP64_END_SIGNATURE or record_position + 12 + record_size != locator_position:
        raise refuse("archive-zip64-locator", "its zip64 locator points to something else than the end record")
    if disk != 0 or start_disk != 0 or disk_count != count:
        raise refuse("archive-several-disks", "it claims to be one of several disks")
    for short_value, saturated, value in (
        (short.count, MAX_16, count),
        (short.size, MAX_32, size),
        (short.offset, MAX_32, offset),
    ):
        if short_value not in (saturated, value):
            raise refuse("archive-zip64-disagrees", f"its two end records disagree ({short_value} and {value})")
    return DirectoryPlace(count, offset, size), record_offset


def _check_place(place: DirectoryPlace, directory_end: int) -> None:
    if place.offset + place.size != directory_end:
        raise refuse(
            "archive-directory-place",
            f"its directory should end at byte {place.offset + place.size}, but ends at {directory_end}",
        )
    if place.count == 0:
        raise refuse("archive-empty", "it has no members")
    if place.count > MOST_MEMBERS:
        raise refuse("archive-too-many-members", f"it claims {place.count} members, more than {MOST_MEMBERS}")
    if place.size < place.count * CENTRAL_HEADER.size:
        raise refuse("archive-entry-count", f"its directory of {place.size} bytes cannot hold {place.count} members")
