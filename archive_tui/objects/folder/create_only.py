"""Gives a finished file its final name, and never takes the name of another."""

from __future__ import annotations

import contextlib
import errno
import os
import time

from archive_tui.errors import StorageUnavailable
from archive_tui.objects.folder.temporary_entries import claim_name, create_claim, remove_abandoned_claim

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}

CLAIM_PATIENCE = 30.0
"""Seconds to wait for the claim of another writer, who holds it for one look and one rename."""


def link_or_claim(temporary: str, name: str, folder_fd: int) -> bool:
    """Makes `temporary` visible as `name`, unless something of that name exists.

    By a hard link, which the file system refuses atomically if the name is taken; then both names remain, and True is
    returned. Where there are no hard links (exFAT, some SMB and FUSE mounts) by a rename under a claim: a file beside
    the target, made with O_EXCL, which every writer of this program takes before it looks and renames; False is
    returned.

    Raises: FileExistsError, OSError, StorageUnavailable when another writer does not let go of the claim.
    """
    try:
        os.link(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd, follow_symlinks=False)
    except FileExistsError:
        # NFS repeats a request whose reply was lost, and finds what the first one has made.
        if _are_same(temporary, name, folder_fd):
            return True
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    else:
        return True
    _rename_under_claim(temporary, name, folder_fd)
    return False


def _rename_under_claim(temporary: str, name: str, folder_fd: int) -> None:
    claim = claim_name(name)
    descriptor = _take_claim(claim, folder_fd)
    try:
        if exists(name, folder_fd):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        os.rename(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(claim, dir_fd=folder_fd)
        os.close(descriptor)


def _take_claim(claim: str, folder_fd: int) -> int:
    deadline = time.monotonic() + CLAIM_PATIENCE
    while True:
        with contextlib.suppress(FileExistsError):
            return create_claim(claim, folder_fd)
        if time.monotonic() > deadline:
            raise StorageUnavailable(
                f"Another writer holds the claim file {claim}",
                code="claim-held",
                hint="Try again. If nobody writes there, a writer on another machine has died: remove that file.",
            )
        with contextlib.suppress(OSError):
            if not remove_abandoned_claim(claim, folder_fd):
                time.sleep(0.005)


def _are_same(first: str, second: str, folder_fd: int) -> bool:
    one, other = (os.stat(name, dir_fd=folder_fd, follow_symlinks=False) for name in (first, second))
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def exists(name: str, folder_fd: int) -> bool:
    """True if the folder has an entry of that name, be it a broken link."""
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
