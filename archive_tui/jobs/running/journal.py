"""The journal of a running job: marks are gathered in memory and written by the thread that watches over the jobs."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archive_tui.continuation import ItemMark
from archive_tui.jobs.queue.claiming import ClaimedJob
from archive_tui.jobs.queue.endings import is_owner
from archive_tui.jobs.queue.marks import find_marks, load_saved, write_marks, write_saved
from archive_tui.jobs.queue.memory_database import JobDatabase

FLUSH_SECONDS = 1.0
FLUSH_MARKS = 2000
"""Marks after which they are written without waiting for FLUSH_SECONDS."""

MOST_MARKS = 20_000
"""With so many that are not written yet the operation writes them itself: it may not run away from the disk."""


@dataclass(slots=True)
class _Batch:
    marks: dict[str, dict[str, ItemMark]] = field(default_factory=dict)
    saved: dict[str, bytes | None] = field(default_factory=dict)
    count: int = 0

    def find(self, phase: str, item: str) -> ItemMark | None:
        known = self.marks.get(phase)
        return known.get(item) if known is not None else None

    def write(self, connection: sqlite3.Connection, job_id: int) -> None:
        for phase, marks in self.marks.items():
            write_marks(connection, job_id, phase, marks.values())
        for name, content in self.saved.items():
            write_saved(connection, job_id, name, content)


class JobJournal:
    """Implements `continuation.Journal`. What cannot be written is kept until it can, up to MOST_MARKS; `lost` counts
    the marks that were given up."""

    is_kept = True

    def __init__(self, database: JobDatabase, job: ClaimedJob, worker_id: str) -> None:
        self._database = database
        self._job = job
        self._worker = worker_id
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._batch = _Batch()
        self._flushing = _Batch()
        self._flushed_at = time.monotonic()
        self.lost = 0

    @property
    def has_earlier(self) -> bool:
        return self._job.attempt > 1

    def find(self, phase: str, items: Sequence[str]) -> Mapping[str, ItemMark]:
        with self._lock:
            batches = (self._flushing, self._batch)
            recent = {
                item: mark for batch in batches for item in items if (mark := batch.find(phase, item)) is not None
            }
        rest = [item for item in items if item not in recent] if recent else items
        if not rest:
            return recent
        nothing: dict[str, ItemMark] = {}
        stored = self._database.read(lambda connection: find_marks(connection, self._job.id, phase, rest), nothing)
        return {**stored, **recent}

    def record(self, phase: str, marks: Iterable[ItemMark]) -> None:
        with self._lock:
            known = self._batch.marks.setdefault(phase, {})
            before = len(known)
            for mark in marks:
                known[mark.item] = mark
            self._batch.count += len(known) - before
            is_too_many = self._batch.count > MOST_MARKS
        if is_too_many and not self.flush():
            self._drop()

    def load(self, name: str) -> bytes | None:
        with self._lock:
            for batch in (self._batch, self._flushing):
                if name in batch.saved:
                    return batch.saved[name]
        return self._database.read(lambda connection: load_saved(connection, self._job.id, name), None)

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        if durable:
            self.flush(also={name: content}, durable=True)
            return
        with self._lock:
            self._batch.saved[name] = content

    @property
    def is_due(self) -> bool:
        """True when there is something that should be written now."""
        with self._lock:
            if not (self._batch.count or self._batch.saved):
                return False
            return self._batch.count >= FLUSH_MARKS or time.monotonic() - self._flushed_at >= FLUSH_SECONDS

    def flush(self, *, also: Mapping[str, bytes | None] | None = None, durable: bool = False) -> bool:
        """Writes what has come since the last time, and `also` what is saved now; False when it could not be written
        and is kept."""
        with self._writing:
            with self._lock:
                self._batch.saved.update(also or {})
                if not (self._batch.count or self._batch.saved):
                    return True
                self._flushing, self._batch = self._batch, _Batch()
                self._flushed_at = time.monotonic()
            is_written = self._database.transact(self.write_pending, durable=durable) is not None
            with self._lock:
                if not is_written:
                    self._batch = _merge(self._flushing, self._batch)
                self._flushing = _Batch()
            return is_written

    def write_pending(self, connection: sqlite3.Connection) -> None:
        """Part of a transaction of `flush`: nothing is written for a job that belongs to another worker by now."""
        if is_owner(connection, self._job, self._worker):
            self._flushing.write(connection, self._job.id)

    def _drop(self) -> None:
        with self._lock:
            self.lost += self._batch.count
            self._batch = _Batch(saved=self._batch.saved)


def _merge(older: _Batch, newer: _Batch) -> _Batch:
    marks = {phase: {**older.marks.get(phase, {}), **newer.marks.get(phase, {})} for phase in older.marks | newer.marks}
    return _Batch(marks, older.saved | newer.saved, sum(map(len, marks.values())))
