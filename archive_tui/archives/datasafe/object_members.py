"""Reads the beginning of one file out of an archive whose members are stored, without reading the rest of it."""

from __future__ import annotations

from archive_tui.errors import IntegrityError, NoFileError, StorageUnavailable
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.display import escape_for_display
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.unpacking.structure import read_archive_structure
from archive_tui.operations.zip_format import LOCAL_HEADER, STORED


def read_member(store: ObjectStore, key: str, path: str, most: int, label: str) -> bytes:
    """Returns the first `most` bytes of the member called `path`.

    Raises: NoFileError `File does not exist`; IntegrityError when all of it was read, and its checksum is wrong;
    HostileArchive; what the store raises.
    """
    structure = read_archive_structure(store, key)
    member = next((each for each in structure.members if each.path == path and not each.is_folder), None)
    if member is None or member.method != STORED:
        raise NoFileError("File does not exist", key=path, store=label)
    header = _read(store, key, member.header_offset, LOCAL_HEADER.size)
    begin = member.header_offset + LOCAL_HEADER.size + sum(LOCAL_HEADER.unpack(header)[-2:])
    content = _read(store, key, begin, min(most, member.size))
    if len(content) == member.size and crc32(content) != member.crc:
        raise IntegrityError(
            f"The file has another checksum than at the deposit: {escape_for_display(path)}",
            hint="Verify the dataset.",
            code="member-damaged",
        )
    return content


def _read(store: ObjectStore, key: str, offset: int, length: int) -> bytes:
    if length == 0:
        return b""
    with store.open(key, offset, length) as reader:
        content = b"".join(read_chunks(reader))
    if len(content) != length:
        raise StorageUnavailable(
            f"{store.label}: the content ended after {len(content):,} of {length:,} bytes: {key}",
            key=key,
            store=store.label,
            hint="Try again.",
        )
    return content
