"""Hashes small files, many at a time. All of the time goes into what is done once for each file, so little is.

Imported by the process that hashes small files, which has to start at once: nothing of weight here.
"""

from __future__ import annotations

import errno
import os
import stat

from archive_tui.operations.hashing.opened_paths import LONGEST_SPLIT, Paths
from archive_tui.operations.scanning.open_folders import OpenFolder

try:  # what hashlib would take in the end, without its fifteen other algorithms
    from _hashlib import openssl_sha256 as sha256
except ImportError:  # pragma: no cover - a Python without OpenSSL
    from hashlib import sha256

SMALL_READ = 16 << 10
"""Bytes up to which a file is read with one call."""

READ_SIZE = 64 << 10

LARGER = 0
"""In the place of an error: the file is larger than asked for, and was only measured."""

NO_DIGEST = bytes(32)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from archive_tui.progress import StopSignal

SmallDigests = tuple[list[int], bytes, dict[int, int]]
"""Sizes; the digests in one piece, 32 bytes each; the numbers of the system's errors (or LARGER) by position. Fewer
sizes than files: it was stopped."""


def hash_small_files(paths: Paths, names: list[bytes], *, largest: int, stop: StopSignal | None = None) -> SmallDigests:
    """Returns the digests of regular files, in the order of `names`; fastest where neighbours share a folder.

    A file of more than `largest` bytes (16 KiB at least) is only measured. What is no regular file gives EINVAL, a
    folder EISDIR, as errors, not exceptions; where links are followed, an empty device such as /dev/null is an empty
    file, and a disk a larger one. Nothing waits for a pipe.
    """
    sizes: list[int] = []
    digests: list[bytes] = []
    errors: dict[int, int] = {}
    current: bytes | None = None
    folder: OpenFolder | int = errno.ENOENT
    for position, path in enumerate(names):
        if stop is not None and position % 16 == 0 and stop.is_set():
            break
        cut = path.rfind(b"/") + 1 if len(path) < LONGEST_SPLIT else 0
        if path[:cut] != current:
            current = path[:cut]
            folder = _open_folder(paths, current)
        try:
            size, digest, error = _hash_in_folder(folder, path[cut:] if path[cut:] or not cut else b".", paths, largest)
        except OSError as refusal:
            size, digest, error = 0, NO_DIGEST, refusal.errno or errno.EIO
            if error == errno.ESPIPE:
                error = errno.EINVAL
        if digest is NO_DIGEST:
            errors[position] = error
        sizes.append(size)
        digests.append(digest)
    return sizes, b"".join(digests), errors


def _open_folder(paths: Paths, folder: bytes) -> OpenFolder | int:
    try:
        return paths.open_folder(folder)
    except OSError as error:
        return error.errno or errno.EIO


def _hash_in_folder(folder: OpenFolder | int, name: bytes, paths: Paths, largest: int) -> tuple[int, bytes, int]:
    if folder.__class__ is int:
        return 0, NO_DIGEST, folder
    descriptor = os.open(name, paths.flags, dir_fd=folder.descriptor)  # type: ignore[union-attr]
    try:
        # Asking for the size this way costs a fifth of fstat, and refuses pipes, whose content reading would take.
        size = os.lseek(descriptor, 0, os.SEEK_END)
        if 0 < size <= SMALL_READ:
            content = os.pread(descriptor, size + 1, 0)
            if len(content) == size:
                return size, sha256(content).digest(), 0
        return _hash_measured(descriptor, largest, paths.follows)
    finally:
        os.close(descriptor)


def _hash_measured(descriptor: int, largest: int, follows: bool) -> tuple[int, bytes, int]:
    """What is empty, middle-sized, or not what it seems to be; the same return values."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return _measure_special(descriptor, status.st_mode, follows)
    if status.st_size > largest:
        return status.st_size, NO_DIGEST, LARGER
    digest = sha256()
    size = 0
    while block := os.pread(descriptor, min(READ_SIZE, max(status.st_size - size, 0) + 1), size):
        digest.update(block)
        size += len(block)
        if size > largest:
            return size, NO_DIGEST, LARGER  # it grows; whoever hashes it as a large file can be stopped
    return size, digest.digest(), 0


def _measure_special(descriptor: int, mode: int, follows: bool) -> tuple[int, bytes, int]:
    if stat.S_ISDIR(mode):
        return 0, NO_DIGEST, errno.EISDIR
    if follows and stat.S_ISBLK(mode):
        return os.lseek(descriptor, 0, os.SEEK_END), NO_DIGEST, LARGER
    if follows and stat.S_ISCHR(mode) and not os.read(descriptor, 1):
        return 0, sha256().digest(), 0
    return 0, NO_DIGEST, errno.EINVAL
