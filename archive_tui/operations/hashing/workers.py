"""The threads and processes that share the hashing of many files, and their order of work."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import NamedTuple

from archive_tui.errors import OperationStopped
from archive_tui.integrity.streams import MIDDLE_BLOCK, FileDigest, hash_descriptor
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.hashing.process import Batch, HashProcess, hash_batch
from archive_tui.operations.scanning.contained_open import ContainedOpener
from archive_tui.progress import Report, StopSignal, check_stop

BATCH_FILES = 256
LARGEST_SMALL = 256 << 10
"""Bytes up to which a file belongs to a batch; a larger one is a piece of work of its own."""

PROCESSES_AFTER = 3000
"""Small files that one thread takes alone before other processes are started, when their number is not known."""

RESULTS_WAITING = 64


class HashedFile(NamedTuple):
    """`digest` is None when the file could not be read; `error` then is the OSError, and None otherwise."""

    path: str
    size: int
    digest: str | None
    error: OSError | None


def cut_batches(paths: Iterable[str]) -> Iterator[Batch]:
    """Yields batches of at most 256 files; neighbours in the same folder share its name."""
    batch: Batch = []
    count = 0
    for path in paths:
        folder, _, name = path.rpartition("/")
        if not batch or batch[-1][0] != folder:
            batch.append((folder, []))
        batch[-1][1].append(name)
        count += 1
        if count == BATCH_FILES:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


class HashWorkers:
    """Hashes paths below `root` with `threads` threads; the first takes small files itself, each other one by its own
    process, and all of them large files. To be used once."""

    def __init__(self, root: Path, threads: int, *, stop: StopSignal, report: Report, phase: str) -> None:
        self._root = root.absolute()
        self._opener = ContainedOpener(self._root)
        self._threads = threads
        self._stop = stop
        self._meter = PacedReport(report, phase)
        self._results: queue.Queue[list[HashedFile] | BaseException | None] = queue.Queue(RESULTS_WAITING)
        self._work = threading.Condition()
        self._batches: Iterator[Batch] = iter(())
        self._large: deque[tuple[str, int]] = deque()
        self._is_cut = False  # all batches have been handed out
        self._small_busy = 0  # threads with a batch, which may still find large files
        self._large_busy = 0
        self._handed_out = 0
        self._are_many = False
        self._abandoned = threading.Event()
        self._hashers: list[_SmallHasher] = []

    def is_set(self) -> bool:
        """True when the work is to end early: this object is the stop signal of its own threads."""
        return self._stop.is_set() or self._abandoned.is_set()

    def hash_all(self, paths: Iterable[str]) -> Iterator[HashedFile]:
        """Yields a result for every path; see `hashing.hash_files`."""
        self._batches = cut_batches(paths)
        self._are_many = isinstance(paths, Sized) and len(paths) >= PROCESSES_AFTER
        threads = [
            threading.Thread(target=self._run, args=(number,), name=f"hash-{number}", daemon=True)
            for number in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                found = self._next_result()
                if isinstance(found, BaseException):
                    raise found
                if found is None:
                    running -= 1
                else:
                    yield from found
            if self._stop.is_set():
                raise OperationStopped
        finally:
            self._end(threads)

    def _next_result(self) -> list[HashedFile] | BaseException | None:
        while True:
            try:
                return self._results.get(timeout=0.1)
            except queue.Empty:
                check_stop(self._stop)

    def _end(self, threads: list[threading.Thread]) -> None:
        self._abandoned.set()
        with self._work:
            self._work.notify_all()
        for hasher in self._hashers:
            hasher.interrupt()  # a batch on a slow disk takes seconds
        for thread in threads:
            while thread.is_alive():
                with contextlib.suppress(queue.Empty):
                    self._results.get(timeout=0.01)
                thread.join(timeout=0)
        self._meter.flush()
        self._opener.close()

    def _run(self, number: int) -> None:
        hasher = _SmallHasher(self._root, self._opener, self, alone=number == 0)
        self._hashers.append(hasher)
        buffer = bytearray(MIDDLE_BLOCK)
        try:
            while (work := self._take(number == 0)) is not None:
                if isinstance(work, list):
                    self._hash_small(hasher, work)
                else:
                    self._hash_large(*work, buffer)
        except OperationStopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the consumer
            self._abandoned.set()
            self._results.put(error)
        finally:
            with self._work:
                self._work.notify_all()
            hasher.close()
            self._results.put(None)

    def _take(self, alone: bool) -> Batch | tuple[str, int] | None:
        """Returns the next work, waiting for it; None when there will be none."""
        with self._work:
            while not self.is_set():
                if self._large:
                    self._large_busy += 1
                    return self._large.popleft()
                if not self._is_cut and (alone or self._are_many or self._handed_out >= PROCESSES_AFTER):
                    batch = next(self._batches, None)
                    if batch is not None:
                        self._handed_out += sum(len(names) for _, names in batch)
                        self._small_busy += 1
                        return batch
                    self._is_cut = True
                    self._work.notify_all()
                if self._is_cut and not self._small_busy:
                    return None
                self._work.wait(0.1)
            return None

    def _hash_small(self, hasher: _SmallHasher, batch: Batch) -> None:
        found: list[HashedFile] = []
        larger: list[tuple[str, int]] = []
        digests = iter(hasher.hash_batch(batch))
        count = 0
        for folder, names in batch:
            prefix = f"{folder}/" if folder else ""
            for name, answer in zip(names, digests, strict=False):
                if answer is None:
                    continue
                size, digest, error = answer
                if digest is not None:
                    found.append(HashedFile(prefix + name, size, digest, None))
                    count += size
                elif error:
                    found.append(HashedFile(prefix + name, 0, None, OSError(error, os.strerror(error))))
                else:
                    larger.append((prefix + name, size))
        with self._work:
            self._small_busy -= 1
            self._large.extend(larger)
            self._work.notify_all()
        if found:
            self._meter.add(count, len(found), found[-1][0])
            self._results.put(found)

    def _hash_large(self, path: str, size: int, buffer: bytearray) -> None:
        with self._work:
            busy = self._large_busy + len(self._large)
        self._meter.begin_item(path, size)
        failure: OSError | None = None
        digest: str | None = None
        try:
            descriptor = self._opener.open_regular_file(path)
            try:
                digest, size = hash_descriptor(
                    descriptor,
                    done=lambda count: self._meter.set_partial(path, count),
                    stop=self,
                    read_ahead=busy < self._threads,
                    buffer=buffer,
                )
            finally:
                os.close(descriptor)
        except OSError as error:
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
            failure = OSError(cause.errno or errno.EIO, cause.strerror or str(cause))
        finally:
            with self._work:
                self._large_busy -= 1
            self._meter.end_partial(path)
        self._meter.add(size, 1, path)
        self._results.put([HashedFile(path, size, digest, failure)])


class _SmallHasher:
    """Hashes batches here, or in a process that is started for the first of them; when that fails, here."""

    def __init__(self, root: Path, opener: ContainedOpener, stop: StopSignal, *, alone: bool) -> None:
        self._root = root
        self._opener = opener
        self._stop = stop
        self._is_local = alone
        self._process: HashProcess | None = None

    def hash_batch(self, batch: Batch) -> list[FileDigest | None]:
        if not self._is_local:
            try:
                self._process = self._process or HashProcess(self._root)
                return self._process.hash_batch(batch, LARGEST_SMALL)
            except OSError:
                self._is_local = True
        return hash_batch(self._opener, batch, LARGEST_SMALL, self._stop)

    def interrupt(self) -> None:
        if self._process is not None:
            self._process.interrupt()

    def close(self) -> None:
        if self._process is not None:
            self._process.close()
