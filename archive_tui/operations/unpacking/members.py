"""Unpacks members: small ones in batches on worker threads, large ones in pieces that pass through."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from archive_tui.errors import OperationStopped
from archive_tui.names.member_paths import MANIFEST_NAME
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.unpacking.archive_stream import ArchiveStream
from archive_tui.operations.unpacking.central_directory import ArchiveMember
from archive_tui.operations.unpacking.member_reading import (
    DamagedContent,
    InflatingMember,
    check_descriptor,
    check_local_header,
    inflate_whole,
)
from archive_tui.operations.unpacking.stage_folder import StageWriter
from archive_tui.operations.zip_format import LOCAL_HEADER
from archive_tui.progress import StopSignal, check_stop

PIECE_SIZE = 1 << 20
_PIECES_AHEAD = 4
_WRONG_CHECKSUM = "its checksum (CRC-32) is wrong"


class UnpackedMember(NamedTuple):
    """`damage` says what is wrong with the content (empty: nothing). `digest` is the SHA-256 of what was found, None
    when it could not be read to its end or is a folder. `content` is kept of the manifest only."""

    member: ArchiveMember
    digest: str | None
    damage: str = ""
    content: bytes | None = None


@dataclass(slots=True)
class Batch:
    """Neighbouring members with the lengths of their records; `weight` is their bytes, packed and unpacked together."""

    members: list[tuple[ArchiveMember, int]] = field(default_factory=list)
    packed_size: int = 0
    weight: int = 0

    def add(self, member: ArchiveMember, record_size: int) -> None:
        self.members.append((member, record_size))
        self.packed_size += record_size
        self.weight += record_size + member.size


def unpack_batch(
    batch: Batch, content: bytes | memoryview, into: Path | None, abandoned: threading.Event
) -> list[UnpackedMember]:
    """Checks the members of the batch, whose records are `content`, and writes them below `into` (None: nowhere).

    Raises: HostileArchive, StorageError; OperationStopped when abandoned.
    """
    unpacked: list[UnpackedMember] = []
    records = memoryview(content)
    position = 0
    with ExitStack() as stack:
        writer = None if into is None else stack.enter_context(StageWriter(into))
        for member, size in batch.members:
            if abandoned.is_set():
                raise OperationStopped
            unpacked.append(_unpack_record(member, records[position : position + size], writer))
            position += size
    return unpacked


def _unpack_record(member: ArchiveMember, record: memoryview, writer: StageWriter | None) -> UnpackedMember:
    start, end = check_local_header(member, record, len(record))
    check_descriptor(member, record[end:])
    if member.is_folder:
        if writer is not None:
            writer.create_folder(member.path)
        return UnpackedMember(member, None)
    try:
        data = inflate_whole(member, record[start:end])
    except DamagedContent as damage:
        return UnpackedMember(member, None, str(damage))
    digest = hashlib.sha256(data).hexdigest()
    if crc32(data) != member.crc:
        return UnpackedMember(member, digest, _WRONG_CHECKSUM)
    if writer is not None:
        _write_file(writer, member, data)
    return UnpackedMember(member, digest, content=bytes(data) if member.path == MANIFEST_NAME else None)


def _write_file(writer: StageWriter, member: ArchiveMember, data: bytes | memoryview) -> None:
    fd = writer.create_file(member.path, is_executable=member.is_executable)
    try:
        if data:
            writer.write(member.path, fd, data)
    finally:
        os.close(fd)


class _LargeFile:
    """Takes the pieces of a large member in their order: hashes and checks them in one thread, writes them in
    another."""

    def __init__(self, member: ArchiveMember, writer: StageWriter | None) -> None:
        self._member = member
        self._writer = writer
        self._hash = hashlib.sha256()
        self._crc = 0
        self._kept: list[bytes] | None = [] if member.path == MANIFEST_NAME else None
        self._fd = None if writer is None else writer.create_file(member.path, is_executable=member.is_executable)

    def hash(self, piece: bytes | memoryview) -> None:
        self._hash.update(piece)
        self._crc = crc32(piece, self._crc)

    def write(self, piece: bytes | memoryview) -> None:
        if self._writer is not None and self._fd is not None:
            self._writer.write(self._member.path, self._fd, piece)
        if self._kept is not None:
            self._kept.append(bytes(piece))

    def finish(self, damage: str) -> UnpackedMember:
        digest = None if damage else self._hash.hexdigest()
        if not damage and self._crc != self._member.crc:
            damage = _WRONG_CHECKSUM
        if damage and self._writer is not None:
            self._writer.remove_file(self._member.path)
        content = b"".join(self._kept) if self._kept is not None and not damage else None
        return UnpackedMember(self._member, digest, damage, content)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)


def unpack_large(
    stream: ArchiveStream, batch: Batch, into: Path | None, executor: Executor, stop: StopSignal
) -> UnpackedMember:
    """Unpacks the only member of `batch` from the stream; `executor` has one thread, which hashes the content.

    Raises: HostileArchive, IntegrityError, StorageError, OperationStopped.
    """
    member, record_size = batch.members[0]
    header = bytes(stream.take(LOCAL_HEADER.size))
    header += stream.take(sum(LOCAL_HEADER.unpack(header)[-2:]))
    _, end = check_local_header(member, header, record_size)
    with ExitStack() as stack:
        writer = None if into is None else stack.enter_context(StageWriter(into))
        file = _LargeFile(member, writer)
        stack.callback(file.close)
        pending: deque[Future[None]] = deque()
        stack.callback(_wait_for_all, pending)
        damage = _inflate_large(stream, member, file, executor, pending, stop)
        for future in pending:
            future.result()
        check_descriptor(member, stream.take(record_size - end))
        return file.finish(damage)


def _inflate_large(
    stream: ArchiveStream,
    member: ArchiveMember,
    file: _LargeFile,
    executor: Executor,
    pending: deque[Future[None]],
    stop: StopSignal,
) -> str:
    """Returns what is wrong with the content, or nothing; the stream then stands behind it in any case."""
    inflating = InflatingMember(member, PIECE_SIZE)
    left = member.compressed_size
    damage = ""
    while left:
        packed = stream.take_some(left)
        left -= len(packed)
        if damage:
            continue
        try:
            for piece in inflating.inflate(packed):
                check_stop(stop)
                pending.append(executor.submit(file.hash, piece))
                file.write(piece)
                if len(pending) > _PIECES_AHEAD:
                    pending.popleft().result()
        except DamagedContent as found:
            damage = str(found)
    if not damage:
        try:
            inflating.finish()
        except DamagedContent as found:
            damage = str(found)
    return damage


def _wait_for_all(pending: deque[Future[None]]) -> None:
    """No piece is hashed any more when the file is closed."""
    for future in pending:
        if not future.cancel():
            future.exception()
