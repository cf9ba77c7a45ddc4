"""Packs single members: read, SHA-256, CRC-32 and deflate in one pass over the source, in pieces for threads.

Small files come in batches, for a thread task for each file costs more than the file itself. Large ones come in
blocks, which are read and hashed in their order and deflated at the same time.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive_tui.errors import OperationStopped
from archive_tui.operations import zip_format
from archive_tui.operations.packing.deflate_blocks import BLOCK_SIZE, STREAM_END, crc32, deflate_block, deflate_whole
from archive_tui.operations.packing.source_reading import OpenSource, open_source, read_whole
from archive_tui.operations.zip_format import PackedMember

if TYPE_CHECKING:
    from archive_tui.operations.scanning.source_scan import SourceFile, SourceScan

WHOLE_LIMIT = 4 << 20
"""Files up to this size are packed in one task: their sizes stand in the local header, and they are stored where
deflate does not pay. Larger ones are streamed. Part of the format that we promise."""

BATCH_BYTES = 1 << 20
BATCH_FILES = 256


@dataclass(frozen=True, slots=True)
class PackedPart:
    """The next bytes of the archive, the members that they complete, and the bytes of source they come from."""

    pieces: tuple[bytes, ...]
    members: tuple[PackedMember, ...]
    source_bytes: int


def split_into_batches(files: Iterable[SourceFile]) -> Iterator[list[SourceFile]]:
    """Yields the files in their order, as lists that make a good task each; a streamed file is alone in its list."""
    batch: list[SourceFile] = []
    batch_bytes = 0
    for file in files:
        is_full = batch_bytes + file.size > BATCH_BYTES or len(batch) >= BATCH_FILES or is_streamed(file)
        if batch and is_full:
            yield batch
            batch, batch_bytes = [], 0
        if is_streamed(file):
            yield [file]
            continue
        batch.append(file)
        batch_bytes += file.size
    if batch:
        yield batch


def is_streamed(file: SourceFile) -> bool:
    return file.size > WHOLE_LIMIT or zip_format.needs_zip64(file.size)


def pack_bytes(path: str, data: bytes, level: int, *, is_executable: bool = False) -> tuple[bytes, PackedMember]:
    """Returns the complete record of a member that is in memory."""
    deflated = deflate_whole(data, level)
    body = data if deflated is None else deflated
    method = zip_format.STORED if deflated is None else zip_format.DEFLATED
    flags = zip_format.name_flags(path)
    crc = crc32(data)
    record = zip_format.format_local_header(path, method, flags, crc, len(body), len(data)) + body
    digest = hashlib.sha256(data).hexdigest()
    return record, PackedMember(
        path, method, flags, crc, len(body), len(data), is_executable, digest, record_size=len(record)
    )


def pack_batch(scan: SourceScan, files: list[SourceFile], level: int, abandoned: threading.Event) -> PackedPart:
    """Packs small files, each as a whole.

    Raises: SourceError naming the file; OperationStopped when the packing was abandoned meanwhile.
    """
    records: list[bytes] = []
    members: list[PackedMember] = []
    for file in files:
        if abandoned.is_set():
            raise OperationStopped
        data, is_executable = read_whole(scan, file)
        record, member = pack_bytes(file.path, data, level, is_executable=is_executable)
        records.append(record)
        members.append(member)
    joined = records[0] if len(records) == 1 else b"".join(records)
    return PackedPart((joined,), tuple(members), sum(member.size for member in members))


class StreamedMember:
    """A large file, packed block by block by several threads.

    `pack_block` may run for several blocks at once, begun in the order of their indices; `assemble` is called by one
    thread, in that order, and adds headers and the data descriptor.
    """

    def __init__(self, scan: SourceScan, file: SourceFile, level: int) -> None:
        self._scan = scan
        self._file = file
        self._level = level
        self._source: OpenSource | None = None
        self._hash = hashlib.sha256()
        self._crc = 0
        self._turn = threading.Condition()
        self._next_index = 0
        self._failed = False
        self._is_executable = False
        self._compressed_size = 0
        self._is_zip64 = zip_format.needs_zip64(file.size)
        self.block_count = max(1, -(-file.size // BLOCK_SIZE))

    def pack_block(self, index: int, abandoned: threading.Event) -> bytes:
        """Returns what stands in the archive for the block.

        Raises: SourceError; OperationStopped when abandoned, or when an earlier block failed.
        """
        data = self._read_in_turn(index, abandoned)
        if self._level == 0:
            return data
        deflated = deflate_block(data, self._level)
        return deflated + STREAM_END if index == self.block_count - 1 else deflated

    def assemble(self, index: int, block: bytes) -> PackedPart:
        is_last = index == self.block_count - 1
        pieces = [block]
        self._compressed_size += len(block)
        if index == 0:
            pieces.insert(0, self._header())
        if is_last:
            pieces.append(
                zip_format.format_descriptor(self._crc, self._compressed_size, self._file.size, is_zip64=self._is_zip64)
            )
        size = min(BLOCK_SIZE, self._file.size - index * BLOCK_SIZE)
        return PackedPart(tuple(pieces), (self._member(len(pieces[-1])),) if is_last else (), size)

    def close(self) -> None:
        """Lets go of the file; no thread packs a block of it any more."""
        if self._source is not None:
            os.close(self._source.fd)
            self._source = None

    def _read_in_turn(self, index: int, abandoned: threading.Event) -> bytes:
        with self._turn:
            self._turn.wait_for(lambda: self._next_index == index or self._failed)
            if self._failed:
                raise OperationStopped
            try:
                if abandoned.is_set():
                    raise OperationStopped
                return self._read_block(index)
            except BaseException:
                self._failed = True
                raise
            finally:
                self._next_index = index + 1
                self._turn.notify_all()

    def _read_block(self, index: int) -> bytes:
        if self._source is None:
            self._source = open_source(self._scan, self._file)
            self._source.check_unchanged()
        offset = index * BLOCK_SIZE
        data = self._source.read_at(offset, min(BLOCK_SIZE, self._file.size - offset))
        self._hash.update(data)
        self._crc = crc32(data, self._crc)
        if index == self.block_count - 1:
            self._is_executable = self._source.check_unchanged()
        return data

    @property
    def _method(self) -> int:
        return zip_format.STORED if self._level == 0 else zip_format.DEFLATED

    def _header(self) -> bytes:
        return zip_format.format_streamed_header(self._file.path, self._method, is_zip64=self._is_zip64)

    def _member(self, descriptor_size: int) -> PackedMember:
        return PackedMember(
            self._file.path,
            self._method,
            zip_format.name_flags(self._file.path) | zip_format.FLAG_DESCRIPTOR,
            self._crc,
            self._compressed_size,
            self._file.size,
            self._is_executable,
            self._hash.hexdigest(),
            record_size=len(self._header()) + self._compressed_size + descriptor_size,
            is_zip64=self._is_zip64,
        )
