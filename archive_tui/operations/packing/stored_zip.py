"""A zip archive of files that are stored, not deflated: its size and every byte of it are known before a file is read.

Members are sorted by name and have the time 1980-01-01 00:00 and the mode 0644, so that the same files are the same
bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, Protocol

from archive_tui.errors import SourceChanged
from archive_tui.integrity.streams import BLOCK_SIZE
from archive_tui.names.display import escape_for_display
from archive_tui.operations import zip_format
from archive_tui.operations.zip_format import PackedMember
from archive_tui.progress import StopSignal, check_stop, never


class StoredMember(NamedTuple):
    """`path` relative, with `/`; `size` in bytes; `crc` the CRC-32 of the content."""

    path: str
    size: int
    crc: int


class FileReader(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


OpenFile = Callable[[str, int], FileReader]
"""Opens the file of that path for reading from that offset on."""


class StoredZip:
    """The archive of some files; nothing is read before `read` is called. Memory: some 200 bytes for each member."""

    def __init__(self, members: Iterable[StoredMember]) -> None:
        self.members = tuple(sorted(members))
        lengths = (len(zip_format.format_stored_header(*member)) + member.size for member in self.members)
        self._offsets = list(accumulate(lengths, initial=0))

    @property
    def size(self) -> int:
        """Bytes of the whole archive."""
        return self._offsets[-1] + len(self._end)

    def read(
        self, open_file: OpenFile, offset: int = 0, length: int | None = None, *, stop: StopSignal = never
    ) -> Iterator[bytes]:
        """Yields `length` bytes of the archive from `offset` on (None: to the end; beyond the end: nothing).

        Raises: SourceChanged when a file is shorter or longer than its size; OperationStopped; what `open_file` raises.
        """
        end = self.size if length is None else min(self.size, offset + length)
        index = max(0, bisect_right(self._offsets, offset) - 1)
        position = self._offsets[index]
        for member in self.members[index:]:
            if position >= end:
                return
            yield from self._read_member(member, open_file, offset - position, end - position, stop)
            position += len(zip_format.format_stored_header(*member)) + member.size
            offset = max(offset, position)
        rest = self._end[max(0, offset - self._offsets[-1]) : max(0, end - self._offsets[-1])]
        if rest:
            yield rest

    def _read_member(
        self, member: StoredMember, open_file: OpenFile, begin: int, end: int, stop: StopSignal
    ) -> Iterator[bytes]:
        """Yields the bytes of a record from `begin` to `end`, counted from its own beginning."""
        begin = max(0, begin)
        header = zip_format.format_stored_header(*member)
        if begin < len(header):
            yield header[begin:end]
        first = max(0, begin - len(header))
        last = min(member.size, end - len(header))
        if first >= last and not (last == member.size == first and end >= len(header)):
            return
        with closing(open_file(member.path, first)) as reader:
            yield from _read_exactly(reader, member, first, last, stop)

    @cached_property
    def _end(self) -> bytes:
        records = (
            zip_format.format_central_record(_describe(member), offset)
            for member, offset in zip(self.members, self._offsets, strict=False)
        )
        directory = b"".join(records)
        return directory + zip_format.format_end(len(self.members), self._offsets[-1], len(directory))


def _read_exactly(reader: FileReader, member: StoredMember, first: int, last: int, stop: StopSignal) -> Iterator[bytes]:
    left = last - first
    while left:
        check_stop(stop)
        chunk = reader.read(min(BLOCK_SIZE, left))
        if not chunk:
            raise _changed(member)
        left -= len(chunk)
        yield chunk
    if last == member.size and reader.read(1):
        raise _changed(member)


def _changed(member: StoredMember) -> SourceChanged:
    return SourceChanged(
        f"It is not as long as it was when it was deposited: {escape_for_display(member.path)}",
        path=member.path,
        hint="Verify the dataset.",
    )


def _describe(member: StoredMember) -> PackedMember:
    header = zip_format.format_stored_header(*member)
    return PackedMember(
        member.path,
        zip_format.STORED,
        zip_format.name_flags(member.path),
        member.crc,
        member.size,
        member.size,
        False,
        "",
        len(header) + member.size,
        member.size >= zip_format.ZIP64_LIMIT,
    )
