"""Packs a scanned source into a zip archive, as a stream of bytes.

The same tree and the same manifest give the same bytes, whatever the number of threads, the times and the umask, the
locale or the order of a directory: members are sorted by path (by code point), the manifest comes last, times are
1980-01-01, modes 0644, or 0755 for files that their owner may execute, blocks are 1 MiB. Folders are not members. The
same bytes also need the same versions of isal (for other levels than the default, of zlib) and a processor of its kind:
these libraries choose their search for repetitions by what the processor can do.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from archive_tui.errors import InvalidName
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.names.member_paths import MANIFEST_NAME
from archive_tui.operations import zip_format
from archive_tui.operations.packing.deflate_blocks import BLOCK_SIZE, check_level
from archive_tui.operations.packing.members import (
    PackedPart,
    StreamedMember,
    is_streamed,
    pack_batch,
    pack_bytes,
    split_into_batches,
)
from archive_tui.operations.zip_format import PackedMember
from archive_tui.progress import BytesDone, Ended, ItemDone, Planned, Report, StopSignal, check_stop, ignore, never

if TYPE_CHECKING:
    from archive_tui.operations.scanning.source_scan import SourceFile, SourceScan

PHASE = "pack"

WINDOW_BYTES = 16 << 20
"""Source bytes that are read ahead of the consumer, whatever the size of the source."""

WINDOW_TASKS = 32
MOST_THREADS = 8

TINY_FILE = 8 << 10
"""Batches of smaller files take turns: two threads of them hand the interpreter's lock to each other so often that they
need a quarter longer than one."""


def default_threads() -> int:
    """One thread for each processor that this process may use, up to `MOST_THREADS`."""
    return min(MOST_THREADS, len(os.sched_getaffinity(0)))


def pack_archive(
    scan: SourceScan,
    *,
    make_manifest: Callable[[Inventory], bytes],
    compression_level: int = -1,
    report: Report = ignore,
    stop: StopSignal = never,
    threads: int | None = None,
) -> Generator[bytes, None, None]:
    """Returns the archive of the files of `scan`, in chunks of some MiB at most.

    Each byte of the source is read once. `make_manifest` is called once, when all files are hashed, in the thread of
    the consumer; what it raises ends the packing. Memory is bounded by a window of 16 MiB of source, besides some 100
    bytes a file. Closing the generator ends all threads; none outlives it. Phase `pack`: bytes of the source, items
    are files.

    Raises: ConfigurationError for the level and InvalidName for a `manifest.json` at the top, at once; while iterating
    SourceChanged (also when a file vanished), SourceUnreadable or SourceError, each naming the path, and
    OperationStopped within a block.
    """
    check_level(compression_level)
    for file in scan.files:
        if file.path == MANIFEST_NAME:
            raise InvalidName(
                f"The name is reserved for the manifest: {file.path!r}", name=file.path, code="path-manifest"
            )
    return _pack(scan, make_manifest, compression_level, report, stop, threads or default_threads())


def _pack(
    scan: SourceScan,
    make_manifest: Callable[[Inventory], bytes],
    level: int,
    report: Report,
    stop: StopSignal,
    threads: int,
) -> Generator[bytes, None, None]:
    archive = _ArchiveEnd()
    progress = _PackProgress(report)
    finished = False
    report(Planned(PHASE, len(scan.files), sum(file.size for file in scan.files)))
    try:
        with _PackingThreads(scan, level, threads) as workers:
            for part in workers.pack(sorted(scan.files, key=lambda file: file.path)):
                check_stop(stop)
                yield from part.pieces
                archive.add(part.members)
                progress.add(part)
        record, member = pack_bytes(MANIFEST_NAME, make_manifest(Inventory(archive.entries)), level)
        yield record
        archive.add((member,))
        check_stop(stop)
        yield from archive.format()
        finished = True
    finally:
        report(Ended(PHASE, finished))


@dataclass(slots=True)
class _Task:
    size: int
    finish: Callable[[], PackedPart]


class _PackingThreads:
    """Packs on threads, a bounded window ahead of the consumer, and hands on the parts in their order."""

    def __init__(self, scan: SourceScan, level: int, threads: int) -> None:
        self._scan = scan
        self._level = level
        self._abandoned = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="archive-tui-pack")
        self._streamed: deque[StreamedMember] = deque()
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> _PackingThreads:
        return self

    def __exit__(self, *_: object) -> None:
        self._abandoned.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for member in self._streamed:
            member.close()
        self._scan.close()

    def pack(self, files: list[SourceFile]) -> Iterator[PackedPart]:
        window: deque[_Task] = deque()
        ahead = 0
        for task in self._submit(files):
            window.append(task)
            ahead += task.size
            while ahead >= WINDOW_BYTES or len(window) >= WINDOW_TASKS:
                ahead -= window[0].size
                yield window.popleft().finish()
        while window:
            yield window.popleft().finish()

    def _submit(self, files: list[SourceFile]) -> Iterator[_Task]:
        for batch in split_into_batches(files):
            if is_streamed(batch[0]):
                yield from self._submit_streamed(batch[0])
            else:
                yield self._submit_batch(batch)

    def _submit_batch(self, batch: list[SourceFile]) -> _Task:
        size = sum(file.size for file in batch)
        is_tiny = size < TINY_FILE * len(batch)
        future = self._pool.submit(self._pack_batch, batch, self._one_at_a_time if is_tiny else nullcontext())
        return _Task(size, future.result)

    def _pack_batch(self, batch: list[SourceFile], turn: AbstractContextManager[object]) -> PackedPart:
        with turn:
            return pack_batch(self._scan, batch, self._level, self._abandoned)

    def _submit_streamed(self, file: SourceFile) -> Iterator[_Task]:
        member = StreamedMember(self._scan, file, self._level)
        self._streamed.append(member)
        for index in range(member.block_count):
            future = self._pool.submit(member.pack_block, index, self._abandoned)
            yield _Task(BLOCK_SIZE, partial(self._finish_block, member, index, future))

    def _finish_block(self, member: StreamedMember, index: int, future: Future[bytes]) -> PackedPart:
        part = member.assemble(index, future.result())
        if part.members:
            member.close()
            self._streamed.popleft()
        return part


class _ArchiveEnd:
    """Collects what the central directory and the manifest need: the packed members, at their offsets."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._records: list[bytes] = []
        self._offset = 0

    def add(self, members: tuple[PackedMember, ...]) -> None:
        for member in members:
            self.entries.append(Entry(member.path, member.size, member.digest))
            self._records.append(zip_format.format_central_record(member, self._offset))
            self._offset += member.record_size

    def format(self) -> Iterator[bytes]:
        directory_size = 0
        for start in range(0, len(self._records), 4096):
            joined = b"".join(self._records[start : start + 4096])
            directory_size += len(joined)
            yield joined
        yield zip_format.format_end(len(self._records), self._offset, directory_size)


class _PackProgress:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._bytes = 0
        self._items = 0

    def add(self, part: PackedPart) -> None:
        self._bytes += part.source_bytes
        self._report(BytesDone(PHASE, self._bytes))
        for member in part.members:
            self._items += 1
            self._report(ItemDone(PHASE, member.path, self._items))
