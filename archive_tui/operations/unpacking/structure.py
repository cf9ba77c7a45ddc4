"""The structure of a stored zip archive, checked as a whole before anything of it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from archive_tui.errors import InvalidName
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.member_paths import find_clashes
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.operations.unpacking import end_records
from archive_tui.operations.unpacking.central_directory import ArchiveMember, parse_directory, refuse_member
from archive_tui.operations.zip_format import LOCAL_HEADER
from archive_tui.progress import StopSignal, never

_LONGEST_GAP = 0xFFFF + 24  # the extra fields of a local header, and the longest data descriptor
_FOLDER_PROBE = "\0"  # no member can have this name


@dataclass(frozen=True, slots=True)
class ArchiveStructure:
    """`members` in the order of their bytes; `size` of the archive; `directory_offset`, where the members end.

    `directory_digest` is the SHA-256 of everything from `directory_offset` on."""

    members: tuple[ArchiveMember, ...]
    size: int
    directory_offset: int
    directory_digest: str

    @property
    def content_bytes(self) -> int:
        """Sum of the sizes that the members declare."""
        return sum(member.size for member in self.members)

    def record_end(self, index: int) -> int:
        """Offset of the first byte after everything that belongs to the member."""
        if index + 1 < len(self.members):
            return self.members[index + 1].header_offset
        return self.directory_offset


def read_archive_structure(
    store: ObjectStore, key: str, info: ObjectInfo | None = None, *, stop: StopSignal = never
) -> ArchiveStructure:
    """Reads the end records and the central directory, and checks them as a whole.

    Guarantees: one end record, members that neither overlap nor leave room for anything else, plain files and folders
    only, names that every system takes and none twice, methods and flags that we know, sizes that can be true. Two or
    three ranged reads; memory grows with the number of members only.

    Raises: HostileArchive, with the finding as its code, naming the member; ObjectNotFound and other StorageErrors.
    """
    size = (info or store.info(key)).size
    tail_size = min(size, end_records.TAIL_SIZE)
    tail = b"".join(_read_range(store, key, size - tail_size, tail_size, stop))
    if len(tail) != tail_size:
        raise end_records.refuse("archive-truncated", "it is shorter than the store says")
    place = end_records.locate_directory(tail, size)
    rest_size = size - place.offset
    if rest_size <= len(tail):
        chunks = iter([tail[len(tail) - rest_size :]])
    else:
        chunks = _read_range(store, key, place.offset, rest_size, stop)
    directory = _DirectoryStream(chunks, place.size)
    members = sorted(parse_directory(directory, place.count), key=lambda member: member.header_offset)
    digest = directory.finish()
    _check_tiling(members, place.offset)
    _check_names(members)
    return ArchiveStructure(tuple(members), size, place.offset, digest)


class _DirectoryStream:
    """The first `size` bytes of the chunks, for the parser; all of them hashed."""

    def __init__(self, chunks: Iterator[bytes], size: int) -> None:
        self._chunks = chunks
        self._left = size
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (chunk := next(self._chunks, None)):
            self._hash.update(chunk)
            part = chunk[: self._left]
            self._left -= len(part)
            yield part

    def finish(self) -> str:
        for chunk in self._chunks:
            self._hash.update(chunk)
        return self._hash.hexdigest()


def _read_range(store: ObjectStore, key: str, offset: int, length: int, stop: StopSignal) -> Iterator[bytes]:
    with store.open(key, offset, length) as reader:
        yield from read_chunks(reader, stop=stop)


def _check_tiling(members: list[ArchiveMember], directory_offset: int) -> None:
    """Members lie one after the other; what may stand between is bounded here, and exact when they are read."""
    if members[0].header_offset != 0:
        raise refuse_member("archive-data-before", members[0].path, "bytes stand before the first member")
    for index, member in enumerate(members):
        is_last = index + 1 == len(members)
        following = directory_offset if is_last else members[index + 1].header_offset
        gap = following - member.header_offset - LOCAL_HEADER.size - len(member.raw_name) - member.compressed_size
        if gap < 0:
            raise refuse_member("archive-overlap", member.path, "a member overlaps what follows it")
        if gap > _LONGEST_GAP:
            raise refuse_member("archive-gap", member.path, f"{gap} bytes that belong to no member follow")


def _check_names(members: list[ArchiveMember]) -> None:
    seen: set[str] = set()
    for member in members:
        if member.path in seen:
            raise refuse_member("archive-duplicate-name", member.path, "two members have the same name")
        seen.add(member.path)
    # A folder stands for something in it: so it clashes with a file, but not with what it holds.
    paths = [f"{member.path}/{_FOLDER_PROBE}" if member.is_folder else member.path for member in members]
    try:
        clashes = find_clashes(sorted(set(paths)))
    except InvalidName as error:
        raise refuse_member("archive-name-clash", error.name, "names of members clash") from error
    for rule, names in clashes:
        raise refuse_member("archive-name-clash", " and ".join(names[:4]), f"names of members clash ({rule})")
