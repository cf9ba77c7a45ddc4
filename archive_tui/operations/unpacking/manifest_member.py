"""Reads the manifest out of a stored archive, without reading the rest of it."""

from __future__ import annotations

from archive_tui.errors import IntegrityError
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.member_paths import MANIFEST_NAME
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.unpacking.central_directory import refuse_member
from archive_tui.operations.unpacking.end_records import refuse
from archive_tui.operations.unpacking.member_reading import (
    DamagedContent,
    check_descriptor,
    check_local_header,
    inflate_whole,
)
from archive_tui.operations.unpacking.structure import ArchiveStructure, read_archive_structure
from archive_tui.progress import StopSignal, never

LARGEST_MANIFEST = 512 << 20
"""Bytes of a manifest that are taken into memory; larger ones are refused. Some 3,000,000 files fit."""


def read_manifest_member(
    store: ObjectStore,
    key: str,
    info: ObjectInfo | None = None,
    *,
    structure: ArchiveStructure | None = None,
    stop: StopSignal = never,
    manifest_name: str = MANIFEST_NAME,
) -> bytes:
    """Returns the bytes of the archive's top-level manifest; two or three ranged reads, the structure checked.

    Raises: HostileArchive, also when there is no manifest (archive-no-manifest) or it declares more than 512 MiB
    (archive-manifest-size); IntegrityError (archive-damaged) when it does not inflate or its checksum is wrong;
    StorageErrors.
    """
    checked = structure or read_archive_structure(store, key, info, stop=stop)
    index = next((index for index, member in enumerate(checked.members) if member.path == manifest_name), None)
    if index is None or checked.members[index].is_folder:
        raise refuse("archive-no-manifest", f"it has no {manifest_name} at its top")
    member = checked.members[index]
    if member.size > LARGEST_MANIFEST:
        raise refuse_member("archive-manifest-size", member.path, f"the manifest claims {member.size} bytes")
    length = checked.record_end(index) - member.header_offset
    with store.open(key, member.header_offset, length) as reader:
        record = b"".join(read_chunks(reader, stop=stop))
    if len(record) != length:
        raise refuse("archive-truncated", "it is shorter than its structure says")
    start, end = check_local_header(member, record, length)
    check_descriptor(member, record[end:])
    try:
        content = bytes(inflate_whole(member, memoryview(record)[start:end]))
    except DamagedContent as damage:
        raise _damaged(str(damage)) from damage
    if crc32(content) != member.crc:
        raise _damaged("its checksum (CRC-32) is wrong")
    return content


def _damaged(why: str) -> IntegrityError:
    return IntegrityError(
        f"The manifest in the archive is damaged: {why}",
        code="archive-damaged",
        hint="Verify the archive; fetch it from another copy if it has findings.",
    )
