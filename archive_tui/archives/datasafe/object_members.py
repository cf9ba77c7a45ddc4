"""Reads the beginning of one file out of an archive whose members are stored, without reading the rest of it."""

from __future__ import annotations

from archive_tui.errors import NoFileError
from archive_tui.integrity.streams import read_chunks
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.unpacking.structure import read_archive_structure
from archive_tui.operations.zip_format import LOCAL_HEADER, STORED


def read_member(store: ObjectStore, key: str, path: str, most: int, label: str) -> bytes:
    """Returns the first `most` bytes of the member called `path`.

    Raises: NoFileError `File does not exist`; HostileArchive; what the store raises.
    """
    structure = read_archive_structure(store, key)
    member = next((each for each in structure.members if each.path == path and not each.is_folder), None)
    if member is None or member.method != STORED:
        raise NoFileError("File does not exist", key=path, store=label)
    header = _read(store, key, member.header_offset, LOCAL_HEADER.size)
    begin = member.header_offset + LOCAL_HEADER.size + sum(LOCAL_HEADER.unpack(header)[-2:])
    return _read(store, key, begin, min(most, member.size))


def _read(store: ObjectStore, key: str, offset: int, length: int) -> bytes:
    if length == 0:
        return b""
    with store.open(key, offset, length) as reader:
        return b"".join(read_chunks(reader))
