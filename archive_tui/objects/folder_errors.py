"""What the operating system says about files, in the words of the one tree of errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    InvalidName,
    ObjectExists,
    ObjectNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)

FOLDER_VANISHED = "folder-vanished"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY}
_GONE = {errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENODEV}
_NAME = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}


@contextmanager
def translate_os_errors(key: str, store: str, *, writing: bool = False) -> Iterator[None]:
    """Turns an OSError of the block into an error of this package, `from` it.

    Wrap the calls of the system only, never the iteration of a caller's stream: its errors pass unchanged.
    """
    try:
        yield
    except ArchiveError:
        raise
    except OSError as error:
        raise to_storage_error(error, key, store, writing=writing) from error


def to_storage_error(error: OSError, key: str, store: str, *, writing: bool = False) -> ArchiveError:
    """Returns the error of this package that says what `error` says about `key`."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return StorageFull(
            f"No room to write {key!r} in {store}: {reason}",
            key=key,
            store=store,
            hint="Nothing was stored. Make room or raise the quota, and run the same again.",
        )
    if error.errno in _DENIED:
        return _denied(error, key, store, reason)
    if error.errno == errno.ELOOP:
        return AccessDenied(
            f"A symbolic link is in the path of {key!r} in {store}",
            key=key,
            store=store,
            code="symlink-in-path",
            hint="This store does not follow links. Replace the link by a folder, or configure its target.",
        )
    if writing and error.errno in _IN_THE_WAY:
        return ObjectExists(
            f"Something of that name is in the way of {key!r} in {store}: {reason}",
            key=key,
            store=store,
            hint="A folder and an object cannot have the same name here. Choose another name.",
        )
    if not writing and error.errno in _ABSENT:
        return ObjectNotFound(
            f"No such object in {store}: {key}", key=key, store=store, hint="List the store to see what it holds."
        )
    if error.errno == errno.ENOENT:
        return StorageError(
            f"The folder of {key!r} in {store} has vanished",
            key=key,
            store=store,
            code=FOLDER_VANISHED,
            hint="Somebody has removed it while it was written to. Try again.",
        )
    if error.errno in _GONE:
        return StorageUnavailable(
            f"{store} does not answer for {key!r}: {reason}",
            key=key,
            store=store,
            hint="Check that the disk or share is mounted and reachable, and try again.",
        )
    if error.errno in _NAME:
        return InvalidName(f"{store} cannot keep the name {key!r}: {reason}", name=key, code="key-refused-by-folder")
    return _other(error, key, store, reason)


def _denied(error: OSError, key: str, store: str, reason: str) -> AccessDenied:
    read_only = error.errno == errno.EROFS
    return AccessDenied(
        f"Not allowed to reach {key!r} in {store}: {reason}",
        key=key,
        store=store,
        hint=(
            "It is mounted read-only. Mount it for writing, or choose another place."
            if read_only
            else "Check owner and permissions of the file and of its folders."
        ),
    )


def _other(error: OSError, key: str, store: str, reason: str) -> StorageError:
    hint = "Check the health of the disk before you go on."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        hint = "Too many files are open. Raise the limit (ulimit -n) or run fewer things at once."
    return StorageError(
        f"{store} failed at {key!r}: {reason}", key=key, store=store, hint=hint, code="storage-input-output"
    )
