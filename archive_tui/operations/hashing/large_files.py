"""Threads that hash large files: hashlib lets others run meanwhile, so that they share the cores well."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import stat
import threading
from collections import deque
from typing import Generic, NamedTuple, TypeVar

from archive_tui.errors import OperationStopped
from archive_tui.integrity.streams import MIDDLE_BLOCK, hash_descriptor
from archive_tui.operations.hashing.file_checkpoints import FileCheckpoints
from archive_tui.operations.hashing.opened_paths import Paths
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.hashing.small_files import NO_DIGEST, is_same_state
from archive_tui.progress import StopSignal

Task = TypeVar("Task")


class LargeResult(NamedTuple, Generic[Task]):
    """`failure` is no OSError, but what nobody expected. `is_changed`: the file was written to while it was read."""

    task: Task
    size: int
    digest: bytes
    error: OSError | None
    failure: BaseException | None = None
    is_changed: bool = False


class LargeFiles(Generic[Task]):
    """At most `threads` threads, started when there is something to do. `reader` is there from the first
    file on, and can be read when something is done."""

    def __init__(
        self,
        paths: Paths,
        threads: int,
        *,
        stop: StopSignal,
        meter: PacedReport,
        checkpoints: FileCheckpoints | None = None,
    ) -> None:
        self._paths = paths
        self._checkpoints = checkpoints
        self._most = threads
        self._stop = stop
        self._meter = meter
        self._threads: list[threading.Thread] = []
        self._work: queue.SimpleQueue[tuple[Task, str, int] | None] = queue.SimpleQueue()
        self._done: deque[LargeResult[Task]] = deque()
        self._writer = -1
        self.reader: int | None = None
        self.under_way = 0

    def add(self, task: Task, path: str, size: int) -> None:
        if self.reader is None:
            self.reader, self._writer = os.pipe()
            os.set_blocking(self.reader, False)
        self.under_way += 1
        self._work.put((task, path, size))
        if len(self._threads) < min(self._most, self.under_way):
            thread = threading.Thread(target=self._run, name=f"hash-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def take_results(self) -> list[LargeResult[Task]]:
        """Returns what is done; the caller has polled `reader`."""
        results = []
        if self.reader is not None:
            with contextlib.suppress(BlockingIOError):
                os.read(self.reader, 1 << 12)
        while self._done:
            results.append(self._done.popleft())
        self.under_way -= len(results)
        return results

    def close(self) -> None:
        """The stop signal is set by now, or nothing is under way."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        if self.reader is not None:
            os.close(self.reader)
            os.close(self._writer)

    def _run(self) -> None:
        buffer = bytearray(MIDDLE_BLOCK)
        while (work := self._work.get()) is not None:
            if self._stop.is_set():
                continue
            task, path, size = work
            try:
                self._done.append(self._hash(task, path, size, buffer))
            except OperationStopped:
                continue
            except BaseException as failure:  # noqa: BLE001 - raised again in the thread of the consumer
                self._done.append(LargeResult(task, 0, NO_DIGEST, None, failure))
            os.write(self._writer, b".")

    def _hash(self, task: Task, path: str, size: int, buffer: bytearray) -> LargeResult[Task]:
        self._meter.begin_item(path, size)
        try:
            descriptor, before = self._open(path)
            try:
                digest, size = self._hash_open(path, descriptor, before, buffer)
                is_changed = stat.S_ISREG(before.st_mode) and not is_same_state(before, os.fstat(descriptor))
            finally:
                os.close(descriptor)
        except OSError as error:
            self._meter.end_partial(path)
            return LargeResult(task, 0, NO_DIGEST, OSError(error.errno or errno.EIO, error.strerror or str(error)))
        self._meter.end_partial(path)
        return LargeResult(task, size, bytes.fromhex(digest), None, is_changed=is_changed)

    def _hash_open(self, path: str, descriptor: int, status: os.stat_result, buffer: bytearray) -> tuple[str, int]:
        checkpoint = None if self._checkpoints is None else self._checkpoints.begin(path, descriptor, status)

        def done(count: int) -> None:
            self._meter.set_partial(path, count)
            if checkpoint is not None:
                checkpoint.reach(count)

        found = hash_descriptor(
            descriptor,
            done=done,
            stop=self._stop,
            read_ahead=self._has_idle_core,
            buffer=buffer,
            digest=None if checkpoint is None else checkpoint.digest,
            begin=0 if checkpoint is None else checkpoint.digest.size,
        )
        if checkpoint is not None:
            checkpoint.end()
        return found

    def _has_idle_core(self) -> bool:
        return self.under_way < self._most

    def _open(self, path: str) -> tuple[int, os.stat_result]:
        descriptor = self._paths.open_file(os.fsencode(path))
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) or (self._paths.follows and stat.S_ISBLK(status.st_mode)):
            return descriptor, status
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file")
