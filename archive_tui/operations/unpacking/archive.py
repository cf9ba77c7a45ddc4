"""Unpacks or verifies a stored zip archive in one sequential pass: nothing of it is read twice, or kept in memory.

The archive itself is hashed as it passes. Small members go to worker threads in batches; large ones are inflated and
written here while another thread hashes them. What the structure promises (archive_structure.py) is checked
against every byte that is read.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.member_paths import MANIFEST_NAME
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.packing.archive import TINY_FILE, default_threads
from archive_tui.operations.unpacking.archive_stream import ArchiveStream
from archive_tui.operations.unpacking.central_directory import ArchiveMember
from archive_tui.operations.unpacking.large_members import MemberKeeping, unpack_large
from archive_tui.operations.unpacking.members import Batch, UnpackedMember, unpack_batch
from archive_tui.operations.unpacking.points import MemberPoint, UnpackPoint
from archive_tui.operations.unpacking.structure import ArchiveStructure, read_archive_structure
from archive_tui.progress import (
    BytesDone,
    Ended,
    ItemDone,
    ItemFailed,
    Planned,
    Report,
    StopSignal,
    ignore,
    never,
)

if TYPE_CHECKING:
    from archive_tui.operations.unpacking.continuation import ArchiveJournal  # ctypes: for those who keep one

BATCH_BYTES = 2 << 20
BATCH_MEMBERS = 256
"""A batch of small members is limited by its bytes, packed and unpacked together, and the members in it."""

LARGE_BYTES = 9 << 20
"""Members from this size on, packed and unpacked together, pass through in pieces. A member that we pack as a whole has
4 MiB at the most, twice that when it is stored: it is taken as a whole here too."""

WINDOW_BYTES = 32 << 20
"""Bytes, packed and unpacked together, that may be in work at a time."""


@dataclass(frozen=True, slots=True)
class UnpackedArchive:
    """`inventory` holds what was found in the members that are not damaged, the manifest left out, folders too.
    `manifest` are the bytes of the top-level manifest (None: there is none, or it is damaged).
    `archive_digest` is the SHA-256 of all `archive_size` bytes."""

    inventory: Inventory
    damaged: tuple[Finding, ...]
    archive_digest: str
    archive_size: int
    manifest: bytes | None


def unpack_archive(
    store: ObjectStore,
    key: str,
    into: Path | None,
    *,
    structure: ArchiveStructure | None = None,
    report: Report = ignore,
    stop: StopSignal = never,
    threads: int | None = None,
    journal: ArchiveJournal | None = None,
    manifest_name: str = MANIFEST_NAME,
) -> UnpackedArchive:
    """Reads the whole archive once, checks every member's length, CRC-32 and headers, and hashes each.

    `into` is an empty folder of the caller's (a stage): files are made in it, never replaced, no link is followed;
    None: nothing is written. Members that do not inflate or have a wrong length or CRC-32 come back as `damaged` and
    are not kept; the rest goes on. Memory is bounded whatever the members declare. Writes are not flushed to the
    disk. Phase `unpack`, or `verify` for None: bytes of the archive, items are members. A `journal` is told how far it
    has come, and goes on at its point: what was done before it is in `into`, and counts as what the manifest says.

    Raises: HostileArchive with the finding as its code; IntegrityError (archive-truncated) when the object ends too
    early, (archive-changed) when it is not what its structure was read from; StorageError, StorageFull;
    OperationStopped.
    """
    phase = "verify" if into is None else "unpack"
    checked = structure or read_archive_structure(store, key, stop=stop)
    items = sum(not member.is_folder and member.path != manifest_name for member in checked.members)
    report(Planned(phase, items, checked.size))
    finished = False
    try:
        unpacking = _Unpacking(store, key, into, checked, phase, report, stop, journal, manifest_name)
        unpacked = unpacking.run(threads or default_threads())
        finished = True
        return unpacked
    finally:
        report(Ended(phase, finished))
        if journal is not None:
            journal.flush_marks()


class _Unpacking:
    def __init__(
        self,
        store: ObjectStore,
        key: str,
        into: Path | None,
        structure: ArchiveStructure,
        phase: str,
        report: Report,
        stop: StopSignal,
        journal: ArchiveJournal | None,
        manifest_name: str,
    ) -> None:
        self._store = store
        self._key = key
        self._into = into
        self._structure = structure
        self._phase = phase
        self._report = report
        self._stop = stop
        self._journal = journal
        self._manifest_name = manifest_name
        self._point = None if journal is None else journal.point
        self._abandoned = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._window: deque[tuple[Future[list[UnpackedMember]], int, UnpackPoint | None]] = deque()
        self._window_bytes = 0
        self._entries: list[Entry] = []
        self._damaged: list[Finding] = []
        self._manifest: bytes | None = None
        self._items = 0

    def run(self, threads: int) -> UnpackedArchive:
        with ExitStack() as stack:
            pool = _start_threads(stack, threads, "unpack")
            member_hasher = _start_threads(stack, 1, "hash-member")
            hasher = _start_threads(stack, 1, "hash")
            stack.callback(self._abandoned.set)
            stream = self._open_stream(stack, hasher)
            next_index = 0 if self._point is None else self._point.index
            for batch in self._batches(next_index):
                next_index += len(batch.members)
                if batch.weight >= LARGE_BYTES:
                    self._unpack_large(stream, batch, next_index - 1, member_hasher)
                    continue
                content = stream.take(batch.packed_size)
                future = pool.submit(self._unpack_batch, batch, content)
                self._window.append((future, batch.weight, _make_point(stream, next_index)))
                self._window_bytes += batch.weight
                self._collect(WINDOW_BYTES)
            self._collect(0)
            digest = stream.finish(self._structure.directory_digest, self._structure.size)
        return UnpackedArchive(
            Inventory(self._entries), tuple(self._damaged), digest, self._structure.size, self._manifest
        )

    def _open_stream(self, stack: ExitStack, hasher: Executor) -> ArchiveStream:
        """Returns the stream where unpacking begins or goes on."""
        point, offset = self._point, 0 if self._point is None else self._point.hashed
        reader = stack.enter_context(self._store.open(self._key, offset))
        chunks = self._count(read_chunks(reader, stop=self._stop), offset)
        if self._journal is None:
            return ArchiveStream(chunks, hasher)
        stream = ArchiveStream(chunks, hasher, self._journal.new_digest(), self._journal.every)
        if point is not None:
            self._take_over(self._journal)
            while stream.position < (begin := point.position(self._structure)):
                stream.take_some(begin - stream.position)
        return stream

    def _take_over(self, journal: ArchiveJournal) -> None:
        """Counts the members before the point as what they were found to be: what the manifest says."""
        for member in journal.done_members():
            self._items += self._is_data(member)
            if member.path == self._manifest_name:
                self._manifest = journal.manifest
            elif not member.is_folder:
                entry = journal.expected(member)
                self._entries.append(Entry(member.path, member.size, None if entry is None else entry.digest))

    def _unpack_large(self, stream: ArchiveStream, batch: Batch, index: int, hasher: Executor) -> None:
        journal, point = self._journal, self._point
        if journal is None:
            self._add(unpack_large(stream, batch, self._into, hasher, self._stop))
            return
        self._collect(0)  # all before this member has to be known when a place within it is written down
        inside = point.inside if point is not None and point.index == index else None

        def save(place: MemberPoint) -> None:
            hashed, state = stream.take_saved()
            journal.save(UnpackPoint(index, hashed, state, place))

        keeping = MemberKeeping(inside, journal.new_member_digest(inside), save)
        self._add(unpack_large(stream, batch, self._into, hasher, self._stop, keeping))

    def _unpack_batch(self, batch: Batch, content: bytes | memoryview) -> list[UnpackedMember]:
        is_tiny = batch.weight < 2 * TINY_FILE * len(batch.members)
        with self._one_at_a_time if is_tiny else nullcontext():
            return unpack_batch(batch, content, self._into, self._abandoned)

    def _count(self, chunks: Iterator[bytes], begin: int) -> Iterator[bytes]:
        total = begin
        if begin:
            self._report(BytesDone(self._phase, total))
        for chunk in chunks:
            yield chunk
            total += len(chunk)
            self._report(BytesDone(self._phase, total))

    def _batches(self, begin: int) -> Iterator[Batch]:
        """Yields neighbouring members that make a good task together; large ones come alone."""
        batch = Batch(self._manifest_name)
        for index in range(begin, len(self._structure.members)):
            member = self._structure.members[index]
            size = self._structure.record_end(index) - member.header_offset
            is_full = batch.weight + size + member.size > BATCH_BYTES or len(batch.members) >= BATCH_MEMBERS
            if batch.members and is_full:
                yield batch
                batch = Batch(self._manifest_name)
            batch.add(member, size)
        yield batch

    def _collect(self, window_bytes: int) -> None:
        while self._window and self._window_bytes >= window_bytes:
            future, weight, point = self._window.popleft()
            self._window_bytes -= weight
            for unpacked in future.result():
                self._add(unpacked)
            if point is not None and self._journal is not None:
                self._journal.save(point)

    def _add(self, unpacked: UnpackedMember) -> None:
        member = unpacked.member
        if self._journal is not None:
            self._journal.take(member, unpacked.digest, unpacked.damage)
        self._items += self._is_data(member)
        if unpacked.damage:
            detail = f"Damaged in the archive: {unpacked.damage}."
            self._damaged.append(
                Finding(
                    FindingKind.CHANGED, member.path, found=unpacked.digest, expected_size=member.size, detail=detail
                )
            )
            self._report(ItemFailed(self._phase, member.path, self._items, detail))
            return
        if member.path == self._manifest_name:
            self._manifest = unpacked.content
        elif not member.is_folder:
            self._entries.append(Entry(member.path, member.size, unpacked.digest))
            self._report(ItemDone(self._phase, member.path, self._items))

    def _is_data(self, member: ArchiveMember) -> bool:
        """The manifest and folders are members too, but nobody counts them as files of the dataset."""
        return not member.is_folder and member.path != self._manifest_name


def _make_point(stream: ArchiveStream, index: int) -> UnpackPoint | None:
    """Returns the point before the member of that index, which is the next one in the stream, when it is time."""
    return UnpackPoint(index, *stream.take_saved()) if stream.has_saved else None


def _start_threads(stack: ExitStack, count: int, purpose: str) -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(count, f"archive-tui-{purpose}")
    stack.callback(pool.shutdown, wait=True, cancel_futures=True)
    return pool
