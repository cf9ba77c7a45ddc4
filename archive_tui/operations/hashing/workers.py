"""Who hashes what: the order in which threads, processes and the caller itself share the files.

The caller's own thread hands out all work and hashes small files itself in between. So the processes beside it never
wait for a thread of this program that waits for the interpreter, and no file costs a change of threads.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from archive_tui.operations.hashing.batches import HashBatch
from archive_tui.operations.hashing.file_checkpoints import FileCheckpoints
from archive_tui.operations.hashing.large_files import LargeFiles
from archive_tui.operations.hashing.opened_paths import open_paths
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.hashing.process import HashProcess
from archive_tui.operations.hashing.small_files import SmallDigests, hash_small_files
from archive_tui.progress import Report, StopSignal, check_stop

LARGEST_SMALL = 256 << 10
"""Bytes up to which a file belongs to a batch; a larger one is a piece of work of its own."""

PROCESSES_AFTER = 3000
"""Small files that one process takes alone before others are started, when their number is not known."""

BATCHES_AHEAD = 6
"""Batches that a process has in hand, so that it has something to do while its parent is busy."""

WINDOW_FILES = 65_536
"""Files handed out and not yielded. A huge file in the middle holds back those behind it; no more are begun then."""

Tag = TypeVar("Tag")


class HashWorkers(Generic[Tag]):
    """Hashes batches below `root` on `threads` cores. To be used once."""

    def __init__(
        self,
        root: Path,
        threads: int,
        *,
        stop: StopSignal,
        report: Report,
        phase: str,
        follow_symlinks: bool = False,
        in_order: bool = False,
        checkpoints: FileCheckpoints | None = None,
    ) -> None:
        self._root = os.fspath(root if follow_symlinks else root.absolute())
        self._follow = follow_symlinks
        self._in_order = in_order
        self._threads = threads
        self._stop = stop
        self._paths = open_paths(self._root, follow_symlinks=follow_symlinks)
        self._meter = PacedReport(report, phase)
        self._large: LargeFiles[tuple[HashBatch[Tag], int]] = LargeFiles(
            self._paths, threads, stop=self, meter=self._meter, checkpoints=checkpoints
        )
        self._source: Iterator[HashBatch[Tag]] = iter(())
        self._is_cut = False  # all batches have been taken from the source
        self._refused: deque[HashBatch[Tag]] = deque()  # handed to a process that has ended
        self._processes: list[HashProcess[HashBatch[Tag]]] = []
        self._is_alone = threads == 1
        self._are_many = False
        self._handed_out = 0
        self._waiting = 0  # files handed out and not yielded
        self._batches: deque[HashBatch[Tag]] = deque()  # in their order, where that is kept
        self._finished: deque[HashBatch[Tag]] = deque()
        self._abandoned = threading.Event()

    def is_set(self) -> bool:
        """True when the work is to end early: this object is the stop signal of its own threads."""
        return self._stop.is_set() or self._abandoned.is_set()

    def hash_all(self, batches: Iterable[HashBatch[Tag]], *, are_many: bool = False) -> Generator[HashBatch[Tag]]:
        """Yields every batch hashed. `are_many`: some thousand files are to be expected.

        Raises: OperationStopped; what `batches` raises.
        """
        self._source = iter(batches)
        self._are_many = are_many
        try:
            while True:
                check_stop(self._stop)
                self._feed_processes()
                is_busy = self._hash_here()
                self._collect(0.0 if is_busy or self._finished else 0.1)
                yield from self._take_finished()
                if self._is_cut and not self._waiting and not self._refused:
                    break
            check_stop(self._stop)
        finally:
            self._end()

    def _take_finished(self) -> Iterator[HashBatch[Tag]]:
        ready = self._batches if self._in_order else self._finished
        while ready and ready[0].is_done:
            batch = ready.popleft()
            self._waiting -= batch.weight
            yield batch
        if self._in_order:
            self._finished.clear()

    def _next_batch(self) -> HashBatch[Tag] | None:
        """Returns the next batch to be hashed; None when there is none now."""
        if self._refused:
            return self._refused.popleft()
        if self._is_cut or self._waiting >= WINDOW_FILES:
            return None
        batch = next(self._source, None)
        if batch is None:
            self._is_cut = True
            return None
        if self._in_order:
            self._batches.append(batch)
        self._waiting += batch.weight
        if not batch.paths:
            self._finish(batch)
            return None
        self._handed_out += len(batch.paths)
        return batch

    def _free_cores(self) -> int:
        return self._threads - self._large.under_way

    def _feed_processes(self) -> None:
        if not self._is_alone and not self._is_cut and (self._are_many or self._handed_out >= PROCESSES_AFTER):
            self._start_processes()
        for process in self._processes[: max(self._free_cores(), 0)]:
            while len(process.tasks) < BATCHES_AHEAD and not process.has_unsent:
                batch = self._next_batch()
                if batch is None:
                    return
                if not self._ask(process, batch):
                    break

    def _start_processes(self) -> None:
        self._is_alone = True  # they are started once
        try:
            for _ in range(self._threads - 1):
                self._processes.append(HashProcess(self._root, follow_symlinks=self._follow, largest=LARGEST_SMALL))
        except OSError:
            return

    def _ask(self, process: HashProcess[HashBatch[Tag]], batch: HashBatch[Tag]) -> bool:
        try:
            process.ask(batch, batch.encode_names())
        except OSError:
            self._drop(process)
            return False
        return True

    def _drop(self, process: HashProcess[HashBatch[Tag]]) -> None:
        self._refused.extend(process.tasks)
        process.tasks.clear()
        self._processes = [other for other in self._processes if other is not process]
        process.close()

    def _hash_here(self) -> bool:
        """Hashes one batch in this thread, when there is one and a core for it."""
        if self._free_cores() <= len(self._processes):
            return False
        batch = self._next_batch()
        if batch is None:
            return False
        names = batch.encode_names().split(b"\0")
        answer = hash_small_files(self._paths, names, largest=LARGEST_SMALL, stop=self)
        check_stop(self._stop)
        self._take_small(batch, answer)
        return True

    def _take_small(self, batch: HashBatch[Tag], answer: SmallDigests) -> None:
        larger = batch.take_small(answer)
        if len(larger) < len(batch.paths):
            count = sum(batch.sizes) - sum(size for _, size in larger)
            self._meter.add(count, len(batch.paths) - len(larger), batch.paths[-1])
        for position, size in larger:
            self._large.add((batch, position), batch.paths[position], size)
        if not larger:
            self._finish(batch)

    def _finish(self, batch: HashBatch[Tag]) -> None:
        batch.is_done = True
        self._finished.append(batch)

    def _collect(self, seconds: float) -> None:
        """Takes over what others have done, waiting for it for so long."""
        poll = select.poll()
        if self._large.reader is not None:
            poll.register(self._large.reader, select.POLLIN)
        for process in self._processes:
            poll.register(process.reader, select.POLLIN)
            if process.has_unsent:
                poll.register(process.writer, select.POLLOUT)
        ready = {descriptor for descriptor, _ in poll.poll(seconds * 1000)}
        for process in list(self._processes):
            if process.reader in ready or process.writer in ready:
                self._exchange(process)
        if self._large.reader in ready:
            self._take_large()

    def _exchange(self, process: HashProcess[HashBatch[Tag]]) -> None:
        try:
            process.send()
            for batch, answer in process.take_answers():
                self._take_small(batch, answer)
        except OSError:
            self._drop(process)

    def _take_large(self) -> None:
        for result in self._large.take_results():
            if result.failure is not None:
                raise result.failure
            batch, position = result.task
            size = result.size
            batch.take_large(position, size, result.digest, result.error, is_changed=result.is_changed)
            self._meter.add(size, 1, batch.paths[position])
            if not batch.unfinished:
                self._finish(batch)

    def _end(self) -> None:
        self._abandoned.set()
        for process in self._processes:
            process.close()
        self._large.close()
        self._meter.flush()
        self._paths.close()
