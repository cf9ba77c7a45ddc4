"""Temporary files and folders beside their target, and the removal of those whose process is dead.

A name tells the running system it was made on: `.archive-tui-<boot>-<random>.part`. Its maker holds a lock (flock) on
it as long as it lives, which no crash can leave behind. So an entry is abandoned when its lock can be taken and it
comes from this boot of this system; one from elsewhere (a share, or before a reboot) also has to be a day old, for
locks do not cross every network file system. What a job keeps to go on with is left alone for a month, for a job that
is paused has no process. A living process's entry is never removed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from archive_tui.names.object_keys import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, is_temporary_name
from archive_tui.objects.folder.kept_parts import is_kept_name

FOREIGN_AGE = 24 * 3600.0
"""Seconds without a change after which an unlocked entry of another system counts as abandoned."""

FOREIGN_CLAIM_AGE = 3600.0
"""The same for a claim (`create_only`), which is held for one look and one rename."""

UNSIGNED_CLAIM_AGE = 5.0
"""The same for a claim whose maker has not come to sign it, which is the next thing that it does."""

KEPT_AGE = 30 * 24 * 3600.0
"""The same for what jobs keep to go on with (`kept_parts`), wherever it comes from."""

_NAME = re.compile(re.escape(TEMPORARY_PREFIX) + r"([0-9a-f]{12})-[0-9a-f]{16}" + re.escape(TEMPORARY_SUFFIX))
_CLAIM = re.compile(re.escape(TEMPORARY_PREFIX) + r"claim-[0-9a-f]{32}" + re.escape(TEMPORARY_SUFFIX))
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


@cache
def _this_boot() -> str:
    try:
        identity = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        identity = os.uname().nodename.encode()
    return hashlib.sha256(identity).hexdigest()[:12]


def new_temporary_name() -> str:
    return f"{TEMPORARY_PREFIX}{_this_boot()}-{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def create_locked_folder(parent: Path) -> tuple[Path, int]:
    """Makes and locks an empty temporary folder; returns its path and the descriptor that holds the lock.

    Raises: OSError.
    """
    while True:
        folder = parent / new_temporary_name()
        folder.mkdir()
        descriptor = -1
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            lock(descriptor)
            if folder.stat().st_ino == os.fstat(descriptor).st_ino:
                return folder, descriptor
        # As with a file: a clean-up came between the making and the locking.
        if descriptor >= 0:
            os.close(descriptor)


def claim_name(name: str) -> str:
    """The name of the claim file beside `name`; the same on every system, and never listed."""
    return f"{TEMPORARY_PREFIX}claim-{hashlib.sha256(os.fsencode(name)).hexdigest()[:32]}{TEMPORARY_SUFFIX}"


def create_claim(name: str, folder_fd: int) -> int:
    """Creates and locks the file `name`, the same name on every system; it tells in its content whose it is.

    Raises: FileExistsError, OSError.
    """
    descriptor = create_locked_file(name, folder_fd)
    with contextlib.suppress(OSError):
        os.write(descriptor, _this_boot().encode())
    return descriptor


def remove_abandoned_claim(name: str, folder_fd: int) -> bool:
    """Removes a claim whose maker is dead; True if it is gone.

    Raises: OSError.
    """
    try:
        return _remove_unlocked(name, folder_fd, _age_of_abandoned_claim(name, folder_fd))
    except FileNotFoundError:
        return True


def create_locked_file(name: str, folder_fd: int, permissions: int = 0o600) -> int:
    """Creates the file `name`, which must not exist, and locks it; returns a descriptor to read and write it.

    Raises: FileExistsError, OSError.
    """
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(name, flags, permissions, dir_fd=folder_fd)
        try:
            lock(descriptor)
            if _is_still_named(descriptor, name, folder_fd):
                return descriptor
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder_fd)
            raise
        # Somebody's clean-up got hold of the lock in the moment before we did, and took the file for abandoned.
        os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Waits for the lock of a file or folder; False where the file system knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    return True


@contextmanager
def locked_folder(folder_fd: int) -> Iterator[None]:
    """Holds the lock of a folder, which all replacing writers of this program take."""
    is_locked = lock(folder_fd)
    try:
        yield
    finally:
        if is_locked:
            fcntl.flock(folder_fd, fcntl.LOCK_UN)


def remove_abandoned(folder: Path | int) -> int:
    """Removes temporary entries of dead processes that lie directly in `folder`; returns how many.

    The notes of interrupted swaps, and what they keep aside, are not touched (`folder_swap`). What cannot be looked at
    or removed stays: the next writer tries again. Never raises OSError.
    """
    removed = 0
    try:
        folder_fd = os.dup(folder) if isinstance(folder, int) else os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return 0
    try:
        with os.scandir(folder_fd) as entries:
            names = [entry.name for entry in entries if is_temporary_name(entry.name)]
        for name in names:
            with contextlib.suppress(OSError):
                if _CLAIM.fullmatch(name):
                    removed += remove_abandoned_claim(name, folder_fd)
                elif _NAME.fullmatch(name):
                    removed += _remove_unlocked(name, folder_fd, FOREIGN_AGE)
                elif is_kept_name(name):
                    removed += _remove_unlocked(name, folder_fd, KEPT_AGE)
    except OSError:
        return removed
    finally:
        os.close(folder_fd)
    return removed


def _age_of_abandoned_claim(name: str, folder_fd: int) -> float:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder_fd)
    try:
        signature = os.read(descriptor, 100)
    finally:
        os.close(descriptor)
    if not signature:
        return UNSIGNED_CLAIM_AGE
    return 0.0 if signature == _this_boot().encode() else FOREIGN_CLAIM_AGE


def _remove_unlocked(name: str, folder_fd: int, foreign_age: float) -> bool:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder_fd)
    try:
        status = os.fstat(descriptor)
        is_folder = stat.S_ISDIR(status.st_mode)
        age = time.time() - max(status.st_mtime, status.st_ctime)
        if _this_boot() not in name and age < foreign_age:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        # Under the lock: the name cannot be given to another living entry before we have let go.
        if not _is_still_named(descriptor, name, folder_fd):
            return False
        if is_folder:
            shutil.rmtree(name, ignore_errors=True, dir_fd=folder_fd)
        else:
            os.unlink(name, dir_fd=folder_fd)
        return True
    finally:
        os.close(descriptor)


def _is_still_named(descriptor: int, name: str, folder_fd: int) -> bool:
    try:
        named = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    own = os.fstat(descriptor)
    return (named.st_ino, named.st_dev) == (own.st_ino, own.st_dev)
