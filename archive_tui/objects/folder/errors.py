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
    if error.errno in _NAME:
        return InvalidName(f"{store} cannot keep the name {key!r}: {reason}", name=key, code="key-refused-by-folder")
    kind, message, hint, code = _explain(error.errno or 0, key, reason, writing)
    return kind(f"{store}: {message}", key=key, store=store, hint=hint, code=code)


_Explanation = tuple[type[StorageError], str, str, str | None]


def _explain(code: int, key: str, reason: str, writing: bool) -> _Explanation:
    if code in _FULL:
        hint = "Nothing was stored. Make room or raise the quota, and run the same again."
        return StorageFull, f"No room to write {key!r}: {reason}", hint, None
    if code in _DENIED:
        return AccessDenied, f"Not allowed to reach {key!r}: {reason}", _hint_of_denied(code), None
    if code == errno.ELOOP:
        hint = "This store does not follow links. Replace the link by a folder, or configure its target."
        return AccessDenied, f"A symbolic link is in the path of {key!r}", hint, "symlink-in-path"
    if writing and code in _IN_THE_WAY:
        hint = "A folder and an object cannot have the same name here. Choose another name."
        return ObjectExists, f"Something of that name is in the way of {key!r}: {reason}", hint, None
    if not writing and code in _ABSENT:
        return ObjectNotFound, f"No such object: {key!r}", "List the store to see what it holds.", None
    return _explain_failure(code, key, reason)


def _explain_failure(code: int, key: str, reason: str) -> _Explanation:
    if code == errno.ENOENT:
        hint = "Somebody has removed it while it was written to. Try again."
        return StorageError, f"The folder of {key!r} has vanished", hint, FOLDER_VANISHED
    if code in _GONE:
        hint = "Check that the disk or share is mounted and reachable, and try again."
        return StorageUnavailable, f"No answer for {key!r}: {reason}", hint, None
    hint = "Check the health of the disk before you go on."
    if code in (errno.EMFILE, errno.ENFILE):
        hint = "Too many files are open. Raise the limit (ulimit -n) or run fewer things at once."
    return StorageError, f"The system failed at {key!r}: {reason}", hint, "storage-input-output"


def _hint_of_denied(code: int) -> str:
    if code == errno.EROFS:
        return "It is mounted read-only. Mount it for writing, or choose another place."
    return "Check owner and permissions of the file and of its folders."
