"""Unpacks small members, in batches on worker threads."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from archive_tui.errors import OperationStopped
from archive_tui.names.member_paths import MANIFEST_NAME
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.unpacking.central_directory import ArchiveMember
from archive_tui.operations.unpacking.member_reading import (
    DamagedContent,
    check_descriptor,
    check_local_header,
    inflate_whole,
)
from archive_tui.operations.unpacking.stage_folder import StageWriter

WRONG_CHECKSUM = "its checksum (CRC-32) is wrong"


class UnpackedMember(NamedTuple):
    """`damage` says what is wrong with the content (empty: nothing). `digest` is the SHA-256 of what was found, None
    when it could not be read to its end or is a folder. `content` is kept of the manifest only."""

    member: ArchiveMember
    digest: str | None
    damage: str = ""
    content: bytes | None = None


@dataclass(slots=True)
class Batch:
    """Neighbouring members with the lengths of their records; `weight` is their bytes, packed and unpacked together.
    The content of the member called `manifest_name` is kept."""

    manifest_name: str = MANIFEST_NAME
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
            record = records[position : position + size]
            unpacked.append(_unpack_record(member, record, writer, is_kept=member.path == batch.manifest_name))
            position += size
    return unpacked


def _unpack_record(
    member: ArchiveMember, record: memoryview, writer: StageWriter | None, *, is_kept: bool
) -> UnpackedMember:
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
        return UnpackedMember(member, digest, WRONG_CHECKSUM)
    if writer is not None:
        _write_file(writer, member, data)
    return UnpackedMember(member, digest, content=bytes(data) if is_kept else None)


def _write_file(writer: StageWriter, member: ArchiveMember, data: bytes | memoryview) -> None:
    fd = writer.create_file(member.path, is_executable=member.is_executable)
    try:
        if data:
            writer.write(member.path, fd, data)
    finally:
        os.close(fd)
