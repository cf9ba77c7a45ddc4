"""One deletion of a content at a time on this machine: two moves that rest on each other's copy would lose both.

A move looks at its target and then deletes at its source. When another move the other way does the same in between,
each has seen the object that the other one deletes. So both hold a lock for that step, chosen by the content.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from archive_tui.progress import StopSignal, check_stop

_STRIPES = 1024
_PAUSE = 0.01


@contextmanager
def held_on_machine(name: str, stop: StopSignal) -> Iterator[None]:
    """Nobody else holds the lock of this name during the block, in this process or in another one of this user on this
    machine; where no lock file can be made, in this process only. Raises: OperationStopped while it waits."""
    yield from _stripes().hold(int(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest(), 16), stop)


@cache
def _stripes() -> _Stripes:
    """One for a process: closing any descriptor of the file would let go of all its locks."""
    return _Stripes()


class _Stripes:
    def __init__(self) -> None:
        self._here = [threading.Lock() for _ in range(_STRIPES)]
        self._owner = 0
        self._descriptor: int | None = None
        self._opening = threading.Lock()

    def hold(self, number: int, stop: StopSignal) -> Iterator[None]:
        stripe = number % _STRIPES
        while not self._here[stripe].acquire(timeout=0.1):
            check_stop(stop)
        try:
            descriptor = self._open()
            if descriptor is None:
                yield
                return
            while not _try_lock(descriptor, stripe):
                check_stop(stop)
                time.sleep(_PAUSE)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, stripe)
        finally:
            self._here[stripe].release()

    def _open(self) -> int | None:
        with self._opening:
            if self._owner != os.getpid():  # a fork does not take the locks with it
                self._owner, self._descriptor = os.getpid(), _open_lock_file()
            return self._descriptor


def _open_lock_file() -> int | None:
    path = Path(tempfile.gettempdir()) / f"archive-tui-moves-{os.getuid()}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    if os.fstat(descriptor).st_uid == os.getuid():
        return descriptor
    os.close(descriptor)
    return None


def _try_lock(descriptor: int, stripe: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, stripe)
    except BlockingIOError:
        return False
    except OSError:
        return True  # this file system has no locks
    return True
