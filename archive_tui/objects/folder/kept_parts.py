"""The begun part of a large file: it outlives the run that has begun it, so that the next one writes only the rest.

A file that has grown beyond KEPT_FROM gets a name of its own kind, which no clean-up of other writers takes for
abandoned; whoever keeps the name finds the part again, or removes it. Nothing of a part is believed: the next run
hashes it from the disk before it goes on.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator

from archive_tui.errors import StorageError
from archive_tui.integrity.streams import BLOCK_SIZE
from archive_tui.names.object_keys import TEMPORARY_PREFIX, TEMPORARY_SUFFIX
from archive_tui.progress import StopSignal, check_stop, never

KEPT_FROM = 8 << 20
"""Bytes from which a part is worth keeping: less is fetched again sooner than it is looked after."""

_NAME = re.compile(re.escape(TEMPORARY_PREFIX) + r"kept-[0-9a-f]{16}" + re.escape(TEMPORARY_SUFFIX))
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL})
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def new_kept_name() -> str:
    return f"{TEMPORARY_PREFIX}kept-{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def is_kept_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


class KeptPart:
    """`name`: what an earlier run has called it, None: there is none. `note` is told the name before a file gets it,
    and must have it on the disk when it returns; None: it is gone. `survives`: whether an error leaves the part.

    `size`: bytes that lie there, known when the writer has opened it, and 0 before.
    """

    def __init__(
        self,
        name: str | None,
        *,
        note: Callable[[str | None], None],
        survives: Callable[[BaseException], bool],
    ) -> None:
        self.name = name
        self.size = 0
        self.note = note
        self.survives = survives
        self._descriptor = -1

    def take(self, folder_fd: int) -> int | None:
        """Opens and locks the part in that folder, and returns the descriptor, which becomes the caller's; None: there
        is none that could be gone on with. Raises: OSError."""
        if self.name is None:
            return None
        descriptor = _open_locked(self.name, folder_fd)
        if descriptor is None:
            remove_kept_part(self.name, folder_fd)
            self.name = None
            return None
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        return descriptor

    def chunks(self, *, stop: StopSignal = never) -> Iterator[bytes]:
        """Yields what lies there, read from the disk. Raises: StorageError when somebody cuts it meanwhile, OSError,
        OperationStopped."""
        position = 0
        while position < self.size:
            check_stop(stop)
            block = os.pread(self._descriptor, min(BLOCK_SIZE, self.size - position), position)
            if not block:
                raise StorageError("Somebody has cut the unfinished file while it was read", code="object-changed")
            position += len(block)
            yield block


def remove_kept_part(name: str, folder_fd: int) -> bool:
    """Removes a part that nobody is working on; True if it is gone. Never raises OSError."""
    with contextlib.suppress(OSError):
        descriptor = _open_locked(name, folder_fd, links=2)
        if descriptor is None:
            return not _is_there(name, folder_fd)
        try:
            os.unlink(name, dir_fd=folder_fd)
            return True
        finally:
            os.close(descriptor)
    return False


def _is_there(name: str, folder_fd: int) -> bool:
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _open_locked(name: str, folder_fd: int, *, links: int = 1) -> int | None:
    """A file with a second name has been given its final one, and is no part any more: it must not be written to."""
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=folder_fd)
    except OSError:
        return None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_nlink <= links and _is_nobodys(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _is_nobodys(descriptor: int) -> bool:
    """Where the file system knows no locks, a job has one owner all the same, and its journal no other reader."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _NO_LOCKS
    return True
