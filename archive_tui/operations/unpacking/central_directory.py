"""Reads the entries of the central directory of a zip archive, each of them hostile until checked."""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archive_tui.errors import HostileArchive, InvalidName
from archive_tui.integrity.streams import Chunk
from archive_tui.names.display import escape_for_display
from archive_tui.names.member_paths import MANIFEST_NAME, check_member_path
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.unpacking import end_records
from archive_tui.operations.zip_format import (
    CENTRAL_HEADER,
    CENTRAL_SIGNATURE,
    DEFLATED,
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_UTF8,
    MAX_16,
    MAX_32,
    STORED,
    ZIP64_EXTRA,
)

_FLAGS_ENCRYPTED = FLAG_ENCRYPTED | 0x0040 | 0x2000
_FLAGS_DEFLATE_SPEED = 0x0006
_FLAGS_KNOWN = FLAG_DESCRIPTOR | FLAG_UTF8 | _FLAGS_DEFLATE_SPEED | _FLAGS_ENCRYPTED
_EXTRA_UNICODE_PATH = 0x7075
_EXTRAS_ENCRYPTED = {0x9901, 0x0017}
_EXTRA_PKWARE_UNIX = 0x000D  # 12 fixed bytes; what follows is the target of a link
_EXTRA_ASI_UNIX = 0x756E  # check, mode, link length, owner, then the target of a link
_DOS_FOLDER = 0x10
_HOSTS_WITH_MODES = {3, 19}
_SPECIAL_BITS = 0o7000
_MOST_DEFLATE_RATIO = 1032  # RFC 1951: 258 bytes for two bits at the best
_DEFLATE_SLACK = 64


class ArchiveMember(NamedTuple):
    """One file or folder of an archive, as the central directory describes it; all checked but its bytes.

    `path` has no `/` at its end; `raw_name` are the bytes of the name as they stand in the archive. Sizes and offsets
    in bytes."""

    path: str
    raw_name: bytes
    is_folder: bool
    is_executable: bool
    method: int
    flags: int
    time_and_date: int
    crc: int
    compressed_size: int
    size: int
    header_offset: int

    @property
    def has_descriptor(self) -> bool:
        return bool(self.flags & FLAG_DESCRIPTOR)


def refuse_member(code: str, path: str, why: str) -> HostileArchive:
    return end_records.refuse(code, f"{why}: {escape_for_display(path[:300])}")


def parse_directory(chunks: Iterable[Chunk], count: int) -> Iterator[ArchiveMember]:
    """Yields `count` members in the order of the directory, which `chunks` must hold exactly; memory is bounded.

    Raises: HostileArchive, with the finding as its code, naming the member.
    """
    buffer = b""
    position = 0
    source = iter(chunks)
    for index in range(count):
        length = CENTRAL_HEADER.size
        while True:
            if len(buffer) - position >= CENTRAL_HEADER.size:
                length = _entry_length(buffer, position, index)
            if len(buffer) - position >= length:
                break
            chunk = next(source, None)
            if chunk is None:
                raise end_records.refuse("archive-entry-count", f"its directory ends after {index} of {count} members")
            buffer = buffer[position:] + chunk
            position = 0
        yield _parse_entry(buffer, position)
        position += length
    if len(buffer) > position or any(len(chunk) for chunk in source):
        raise end_records.refuse(
            "archive-entry-count", f"its directory holds more than the {count} members that it claims"
        )


def _entry_length(buffer: bytes, position: int, index: int) -> int:
    if buffer[position : position + 4] != CENTRAL_SIGNATURE:
        raise end_records.refuse("archive-directory", f"entry {index + 1} of its directory cannot be read")
    length: int = CENTRAL_HEADER.size + sum(struct.unpack_from("<3H", buffer, position + 28))
    return length


def _parse_entry(buffer: bytes, position: int) -> ArchiveMember:
    (
        _, _, host, _, _, flags, method, time, date, crc, compressed_size, size,
        name_size, extra_size, _, disk, _, attributes, offset,
    ) = CENTRAL_HEADER.unpack_from(buffer, position)  # fmt: skip
    name_end = position + CENTRAL_HEADER.size + name_size
    raw_name = buffer[position + CENTRAL_HEADER.size : name_end]
    name = _decode_name(raw_name, flags)
    extra = buffer[name_end : name_end + extra_size]
    _check_coding(name, flags, method)
    if extra or MAX_32 in (compressed_size, size, offset) or disk:
        fields = split_extra(extra, name)
        check_extra(fields, raw_name, name)
        size, compressed_size, offset, disk = _widen(fields, size, compressed_size, offset, disk, name)
    if disk != 0:
        raise refuse_member("archive-several-disks", name, "a member lies on another disk")
    is_folder = _check_type(name, host, attributes)
    _check_sizes(name, method, compressed_size, size, is_folder)
    path = name[:-1] if is_folder else name
    try:
        if path != MANIFEST_NAME or is_folder:
            check_member_path(path)
    except InvalidName as error:
        raise refuse_member("archive-member-path", name, f"the name of a member is refused ({error.code})") from error
    is_executable = host in _HOSTS_WITH_MODES and bool(attributes >> 16 & 0o100)
    return ArchiveMember(
        path, raw_name, is_folder, is_executable, method, flags, date << 16 | time, crc, compressed_size, size, offset
    )


def _decode_name(raw: bytes, flags: int) -> str:
    if raw.isascii():
        return raw.decode()  # the same in both, and a tenth of the time of cp437
    try:
        return raw.decode("utf-8" if flags & FLAG_UTF8 else "cp437")
    except UnicodeDecodeError as error:
        raise refuse_member(
            "archive-name-encoding", repr(raw[:300]), "the name of a member is not valid UTF-8"
        ) from error


def _check_coding(name: str, flags: int, method: int) -> None:
    if flags & _FLAGS_ENCRYPTED:
        raise refuse_member("archive-encrypted", name, "a member is encrypted")
    if flags & ~_FLAGS_KNOWN:
        raise refuse_member("archive-flags", name, f"a member has unknown flags (0x{flags:04x})")
    if method not in (STORED, DEFLATED):
        raise refuse_member("archive-method", name, f"a member is compressed by an unknown method ({method})")


def _check_type(name: str, host: int, attributes: int) -> bool:
    """Returns whether the member is a folder; the mode is judged whatever host is named, as extractors do."""
    mode = attributes >> 16
    kind = stat.S_IFMT(mode)
    has_slash = name.endswith("/")
    if kind == stat.S_IFLNK:
        raise refuse_member("archive-symlink", name, "a member is a symbolic link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refuse_member("archive-device", name, "a member is a device, a pipe or a socket")
    if mode & _SPECIAL_BITS and (kind != stat.S_IFDIR or mode & stat.S_ISUID):
        raise refuse_member("archive-setuid", name, "a member has special permission bits (setuid, setgid or sticky)")
    if (kind == stat.S_IFDIR) > has_slash or (kind == stat.S_IFREG and has_slash):
        raise refuse_member("archive-file-type", name, "a member is both a file and a folder")
    if attributes & _DOS_FOLDER and not has_slash and host not in _HOSTS_WITH_MODES:
        raise refuse_member("archive-file-type", name, "a member is both a file and a folder")
    return has_slash


def _check_sizes(name: str, method: int, compressed_size: int, size: int, is_folder: bool) -> None:
    if is_folder and (size or compressed_size):
        raise refuse_member("archive-folder-content", name, "a folder has content")
    if method == STORED and size != compressed_size:
        raise refuse_member("archive-size", name, f"a stored member has two sizes ({compressed_size} and {size})")
    if size > _MOST_DEFLATE_RATIO * compressed_size + _DEFLATE_SLACK:
        raise refuse_member("archive-ratio", name, f"a member claims {size} bytes out of {compressed_size}")


def split_extra(extra: bytes, name: str) -> list[tuple[int, bytes]]:
    """Returns the extra fields as (identifier, content). Raises: HostileArchive: archive-extra-field."""
    fields: list[tuple[int, bytes]] = []
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise refuse_member("archive-extra-field", name, "the extra fields of a member cannot be read")
        identifier, length = struct.unpack_from("<2H", extra, position)
        position += 4 + length
        if position > len(extra):
            raise refuse_member("archive-extra-field", name, "the extra fields of a member cannot be read")
        fields.append((identifier, extra[position - length : position]))
    return fields


def check_extra(fields: list[tuple[int, bytes]], raw_name: bytes, name: str) -> None:
    """Refuses extra fields that change what a member is.

    Raises: HostileArchive: archive-unicode-path, archive-hard-link, archive-encrypted, archive-extra-field.
    """
    identifiers = [identifier for identifier, _ in fields]
    if identifiers.count(ZIP64_EXTRA) > 1:
        raise refuse_member("archive-extra-field", name, "a member has two zip64 fields")
    for identifier, content in fields:
        if identifier in _EXTRAS_ENCRYPTED:
            raise refuse_member("archive-encrypted", name, "a member is encrypted")
        if identifier == _EXTRA_PKWARE_UNIX and len(content) > 12:
            raise refuse_member("archive-hard-link", name, "a member is a link or a device")
        if identifier == _EXTRA_ASI_UNIX and (len(content) < 14 or any(content[6:10])):
            raise refuse_member("archive-hard-link", name, "a member is a link or a device")
        if identifier == _EXTRA_UNICODE_PATH and not _is_same_path(content, raw_name, name):
            raise refuse_member("archive-unicode-path", name, "a member has a second name that differs")


def _is_same_path(content: bytes, raw_name: bytes, name: str) -> bool:
    if len(content) < 5 or content[0] != 1:
        return False
    try:
        second_name = content[5:].decode()
    except UnicodeDecodeError:
        return False
    return second_name == name and struct.unpack_from("<L", content, 1)[0] == crc32(raw_name)


def _widen(
    fields: list[tuple[int, bytes]], size: int, compressed_size: int, offset: int, disk: int, name: str
) -> tuple[int, int, int, int]:
    """Replaces saturated values by those of the zip64 field, which must hold these and nothing else."""
    content = next((content for identifier, content in fields if identifier == ZIP64_EXTRA), b"")
    position = 0
    values = [size, compressed_size, offset]
    for index, value in enumerate(values):
        if value != MAX_32:
            continue
        if position + 8 > len(content):
            raise refuse_member("archive-zip64-field", name, "the zip64 field of a member is too short")
        values[index] = struct.unpack_from("<Q", content, position)[0]
        position += 8
    if disk == MAX_16 and position + 4 <= len(content):
        disk = struct.unpack_from("<L", content, position)[0]
        position += 4
    if position != len(content):
        raise refuse_member(
            "archive-zip64-field", name, "the zip64 field of a member holds values that nothing asks for"
        )
    return values[0], values[1], values[2], disk
