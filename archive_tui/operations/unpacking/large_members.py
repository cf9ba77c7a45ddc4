"""Unpacks one large member, which passes through in pieces: memory does not grow with it.

Where what is done is written down, that is possible also within it: a stored member can be gone on with anywhere, one
that was deflated in blocks (`deflate_blocks`) behind each of them. Those of other programs have no such places.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from pathlib import Path

from archive_tui.integrity.streams import RunningDigest
from archive_tui.operations.packing.deflate_blocks import BLOCK_SIZE, block_ends, crc32
from archive_tui.operations.unpacking.archive_stream import ArchiveStream, SavingDigest
from archive_tui.operations.unpacking.central_directory import ArchiveMember
from archive_tui.operations.unpacking.member_reading import (
    DamagedContent,
    InflatingMember,
    check_descriptor,
    check_local_header,
)
from archive_tui.operations.unpacking.members import WRONG_CHECKSUM, Batch, UnpackedMember
from archive_tui.operations.unpacking.points import MemberPoint
from archive_tui.operations.unpacking.stage_folder import StageWriter
from archive_tui.operations.zip_format import LOCAL_HEADER, STORED
from archive_tui.progress import StopSignal, check_stop

PIECE_SIZE = 1 << 20
_PIECES_AHEAD = 4


class MemberKeeping:
    """How a member is gone on with from `point` (None: it is begun), and what is done whenever `save` is possible.
    `new_digest` gives a digest whose state can be saved."""

    def __init__(
        self, point: MemberPoint | None, digest: SavingDigest | None, save: Callable[[MemberPoint], None] | None
    ) -> None:
        self.point = point
        self.digest = digest
        self.save = save


_KEEP_NOTHING = MemberKeeping(None, None, None)


def unpack_large(
    stream: ArchiveStream,
    batch: Batch,
    into: Path | None,
    executor: Executor,
    stop: StopSignal,
    keeping: MemberKeeping = _KEEP_NOTHING,
) -> UnpackedMember:
    """Unpacks the only member of `batch` from the stream; `executor` has one thread, which hashes the content. A member
    that is gone on with stands in the stream where its point says.

    Raises: HostileArchive, IntegrityError, StorageError, OperationStopped.
    """
    member, record_size = batch.members[0]
    point = keeping.point
    if point is None:
        header = bytes(stream.take(LOCAL_HEADER.size))
        header += stream.take(sum(LOCAL_HEADER.unpack(header)[-2:]))
        _, end = check_local_header(member, header, record_size)
        tail = record_size - end
    else:
        tail = point.tail
    with ExitStack() as stack:
        writer = None if into is None else stack.enter_context(StageWriter(into))
        is_kept = member.path == batch.manifest_name
        file = _LargeFile(member, writer, keeping, is_kept=is_kept)
        stack.callback(file.close)
        unpacking = _Unpacking(stream, member, tail, file, executor, stop, keeping, can_save=not is_kept)
        stack.callback(unpacking.wait)
        damage = unpacking.run()
        check_descriptor(member, stream.take(tail))
        return file.finish(damage)


class _LargeFile:
    """Takes the pieces of a large member in their order: hashes and checks them in one thread, writes them in
    another."""

    def __init__(
        self, member: ArchiveMember, writer: StageWriter | None, keeping: MemberKeeping, *, is_kept: bool
    ) -> None:
        self._member = member
        self._writer = writer
        self._hash: RunningDigest = hashlib.sha256() if keeping.digest is None else keeping.digest
        self._crc = 0 if keeping.point is None else keeping.point.crc
        self._kept: list[bytes] | None = [] if is_kept else None
        self._fd = None if writer is None else _open_file(writer, member, keeping.point)

    @property
    def crc(self) -> int:
        return self._crc

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
            damage = WRONG_CHECKSUM
        if damage and self._writer is not None:
            self._writer.remove_file(self._member.path)
        content = b"".join(self._kept) if self._kept is not None and not damage else None
        return UnpackedMember(self._member, digest, damage, content)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)


def _open_file(writer: StageWriter, member: ArchiveMember, point: MemberPoint | None) -> int:
    if point is not None:
        return writer.continue_file(member.path, point.size)
    return writer.create_file(member.path, is_executable=member.is_executable)


class _Unpacking:
    """The way of one member from the stream to its file."""

    def __init__(
        self,
        stream: ArchiveStream,
        member: ArchiveMember,
        tail: int,
        file: _LargeFile,
        executor: Executor,
        stop: StopSignal,
        keeping: MemberKeeping,
        *,
        can_save: bool,
    ) -> None:
        self._stream = stream
        self._member = member
        self._tail = tail
        self._file = file
        self._executor = executor
        self._stop = stop
        self._digest = keeping.digest
        self._save = keeping.save if keeping.digest is not None and can_save else None
        point = keeping.point
        self._left = member.compressed_size if point is None else point.packed_left
        self._inflating = InflatingMember(member, PIECE_SIZE, 0 if point is None else point.size)
        self._pending: deque[Future[None]] = deque()

    def run(self) -> str:
        """Returns what is wrong with the content, or nothing; the stream then stands behind it in any case."""
        damage = ""
        while self._left:
            packed = self._stream.take_some(self._left)
            self._left -= len(packed)
            if damage:
                continue
            try:
                self._take(packed)
            except DamagedContent as found:
                damage = str(found)
        if not damage:
            try:
                self._inflating.finish()
            except DamagedContent as found:
                damage = str(found)
        self._drain()
        return damage

    def wait(self) -> None:
        """No piece is hashed any more when the file is closed."""
        for future in self._pending:
            if not future.cancel():
                future.exception()

    def _take(self, packed: memoryview) -> None:
        if self._save is None or not self._stream.has_saved:
            self._inflate(packed)
            return
        begin = 0
        for end in self._find_ends(packed):
            self._inflate(packed[begin:end])
            begin = end
            self._save_when_possible(len(packed) - end)
        self._inflate(packed[begin:])

    def _find_ends(self, packed: memoryview) -> Iterator[int]:
        return iter((len(packed),)) if self._member.method == STORED else block_ends(bytes(packed))

    def _inflate(self, packed: memoryview) -> None:
        for piece in self._inflating.inflate(packed) if packed else ():
            check_stop(self._stop)
            self._pending.append(self._executor.submit(self._file.hash, piece))
            self._file.write(piece)
            if len(self._pending) > _PIECES_AHEAD:
                self._pending.popleft().result()

    def _save_when_possible(self, packed_more: int) -> None:
        """Behind a block all that was fed has come out, and is a multiple of its size."""
        is_possible = self._member.method == STORED or self._inflating.size % BLOCK_SIZE == 0
        if not (is_possible and self._stream.has_saved and self._save is not None and self._digest is not None):
            return
        self._drain()
        left = self._left + packed_more
        self._save(MemberPoint(left, self._tail, self._inflating.size, self._digest.save(), self._file.crc))

    def _drain(self) -> None:
        while self._pending:
            self._pending.popleft().result()
