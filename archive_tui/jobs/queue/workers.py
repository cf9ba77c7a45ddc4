"""Whether the process that runs a job is alive: by a lock that no crash can leave behind, never by a clock.

A worker holds a lock (flock) on `workers/<id>.lock` beside the database as long as its process lives, stopped or not.
Of another computer, or where the file system knows no locks, what counts is whether its counter still moves, watched
by the observer's own monotonic clock: the clocks of two computers are never compared.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from archive_tui.jobs.queue.host import host_name, this_boot, this_host

SILENT_SECONDS = 60.0
"""A worker that is known by its counter only is gone when the counter has stood still for so long."""

FOLDER = "workers"
_held: set[str] = set()
# Where locks belong to processes (NFS), looking at a lock of one's own and closing the file would let go of it.


class LockState(Enum):
    HELD = "held"
    FREE = "free"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as the database knows it. `is_locked` False: where it runs, there are no locks."""

    id: str
    host: str
    boot: str
    is_locked: bool
    description: str
    beat: int


class Worker:
    """This process, or one engine of it, as an owner of jobs. `folder` is that of the database; None: the jobs are in
    memory, and nobody else sees them."""

    def __init__(self, folder: Path | None) -> None:
        self.id = secrets.token_hex(8)
        self.description = f"pid {os.getpid()} on {host_name()}"
        self._path = None if folder is None else folder / FOLDER / f"{self.id}.lock"
        self._descriptor = -1
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._descriptor = _create_locked(self._path)
                _held.add(self.id)

    @property
    def row(self) -> WorkerRow:
        return WorkerRow(self.id, this_host(), this_boot(), self._descriptor >= 0, self.description, 0)

    def close(self, *, is_forgotten: bool = True) -> None:
        """Lets go of the lock: from now on the worker counts as gone. `is_forgotten` False: the database still knows of
        it, so the file stays for others to see that nobody holds it. May be called twice."""
        if self._descriptor >= 0 and self._path is not None:
            if is_forgotten:
                with contextlib.suppress(OSError):
                    self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1
            _held.discard(self.id)


def look_at_lock(folder: Path, worker_id: str) -> LockState:
    """Returns whether a living process holds the lock of that worker; UNKNOWN: there is no such file, or no locks."""
    if worker_id in _held:
        return LockState.HELD
    try:
        descriptor = os.open(folder / FOLDER / f"{worker_id}.lock", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return LockState.UNKNOWN
    try:
        # Shared, so that two observers do not take each other for the worker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return LockState.FREE
    except OSError as error:
        return LockState.HELD if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else LockState.UNKNOWN
    finally:
        os.close(descriptor)


def remove_lock_file(folder: Path, worker_id: str) -> None:
    """Removes what a dead worker has left."""
    with contextlib.suppress(OSError):
        (folder / FOLDER / f"{worker_id}.lock").unlink()


class WorkerWatch:
    """Judges other workers. It remembers since when a counter stands still, so it has to be asked again and again."""

    def __init__(self, folder: Path | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    def is_dead(self, worker_id: str, row: WorkerRow | None) -> bool:
        """True only when the process is certainly gone, or silent for SILENT_SECONDS where nothing better is known."""
        lock = LockState.UNKNOWN if self._folder is None else look_at_lock(self._folder, worker_id)
        if lock is LockState.HELD:
            return False
        if row is None:
            return lock is LockState.FREE or self._is_silent(worker_id, -1)
        is_restarted = row.host == this_host() and row.boot != this_boot()
        is_let_go = row.is_locked and row.boot == this_boot() and lock is LockState.FREE
        return is_restarted or is_let_go or self._is_silent(worker_id, row.beat)

    def _is_silent(self, worker_id: str, beat: int) -> bool:
        now = self._clock()
        known, since = self._seen.get(worker_id, (None, now))
        if known != beat:
            known, since = beat, now
        self._seen[worker_id] = (known, since)
        return now - since >= SILENT_SECONDS


def _create_locked(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    return descriptor
