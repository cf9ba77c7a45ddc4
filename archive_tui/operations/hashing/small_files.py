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
    from collections.abc import Iterator

    from archive_tui.progress import StopSignal

SmallDigests = tuple[list[int], bytes, dict[int, int], list[int]]
"""Sizes; the digests in one piece, 32 bytes each; the numbers of the system's errors (or LARGER) by position; positions
of files that were written to between two reads. Fewer sizes than files: it was stopped."""

_FILES_BETWEEN_LOOKS = 16


def hash_small_files(paths: Paths, names: list[bytes], *, largest: int, stop: StopSignal | None = None) -> SmallDigests:
    """Returns the digests of regular files, in the order of `names`; fastest where neighbours share a folder.

    A file of more than `largest` bytes (16 KiB at least) is only measured. What is no regular file gives EINVAL, a
    folder EISDIR, as errors, not exceptions; where links are followed, an empty device such as /dev/null is an empty
    file, and a disk a larger one. Nothing waits for a pipe.
    """
    batch = _Batch(paths, largest)
    some = _FILES_BETWEEN_LOOKS if stop is not None else len(names) or 1
    for start in range(0, len(names), some):
        if stop is not None and stop.is_set():
            break
        batch.hash_all(names[start : start + some])
    return batch.sizes, b"".join(batch.digests), batch.errors, batch.changed


def is_same_state(before: os.stat_result, after: os.stat_result) -> bool:
    """False: the file was written to between the two. What others do to its name or its permissions does not count."""
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


class _Batch:
    def __init__(self, paths: Paths, largest: int) -> None:
        self.sizes: list[int] = []
        self.digests: list[bytes] = []
        self.errors: dict[int, int] = {}
        self.changed: list[int] = []
        self._paths = paths
        self._largest = largest
        self._current: bytes | None = None
        self._folder: OpenFolder | None = None

    def hash_all(self, names: list[bytes]) -> None:
        rest = iter(names)
        is_over = False
        while not is_over:
            try:
                self._hash_until_refused(rest)
                is_over = True
            except OSError as refusal:
                number = refusal.errno or errno.EIO
                self._add(0, NO_DIGEST, errno.EINVAL if number == errno.ESPIPE else number)

    def _add(self, size: int, digest: bytes, error: int) -> None:
        if digest is NO_DIGEST:
            self.errors[len(self.sizes)] = error
        self.sizes.append(size)
        self.digests.append(digest)

    def _hash_until_refused(self, names: Iterator[bytes]) -> None:
        """One loop: a call more for each file, or its attributes looked up, costs as much as two calls of the system.

        Raises: OSError for the name that was taken last.
        """
        open_file, lseek, pread, close, end = os.open, os.lseek, os.pread, os.close, os.SEEK_END
        add_size, add_digest, flags = self.sizes.append, self.digests.append, self._paths.flags
        folder = -1 if self._folder is None else self._folder.descriptor
        for path in names:
            cut = path.rfind(b"/") + 1
            if path[:cut] != self._current:
                cut, folder = self._enter(path, cut)
            descriptor = open_file(path[cut:] or (path[:cut] and b"."), flags, dir_fd=folder)
            try:
                # Costs a third of fstat, and refuses pipes, whose content reading would take.
                size = lseek(descriptor, 0, end)
                content = pread(descriptor, size + 1, 0) if 0 < size <= SMALL_READ else b""
                if len(content) == size > 0:
                    digest = sha256(content).digest()
                    add_size(size)
                    add_digest(digest)
                else:
                    self._add(*self._hash_measured(descriptor))
            finally:
                close(descriptor)

    def _enter(self, path: bytes, cut: int) -> tuple[int, int]:
        """Returns where the name in the folder begins, and the descriptor of the folder."""
        if len(path) >= LONGEST_SPLIT:
            cut = 0
        self._current = None
        self._folder = self._paths.open_folder(path[:cut])
        self._current = path[:cut]
        return cut, self._folder.descriptor

    def _hash_measured(self, descriptor: int) -> tuple[int, bytes, int]:
        """Size, digest and error of what is empty, middle-sized, or not what it seems to be."""
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return _measure_special(descriptor, status.st_mode, self._paths.follows)
        if status.st_size > self._largest:
            return status.st_size, NO_DIGEST, LARGER
        digest = sha256()
        size = 0
        while block := os.pread(descriptor, min(READ_SIZE, max(status.st_size - size, 0) + 1), size):
            digest.update(block)
            size += len(block)
            if size > self._largest:
                return size, NO_DIGEST, LARGER  # it grows; whoever hashes it as a large file can be stopped
        if size and not is_same_state(status, os.fstat(descriptor)):
            self.changed.append(len(self.sizes))
        return size, digest.digest(), 0


def _measure_special(descriptor: int, mode: int, follows: bool) -> tuple[int, bytes, int]:
    if stat.S_ISDIR(mode):
        return 0, NO_DIGEST, errno.EISDIR
    if follows and stat.S_ISBLK(mode):
        return os.lseek(descriptor, 0, os.SEEK_END), NO_DIGEST, LARGER
    if follows and stat.S_ISCHR(mode) and not os.read(descriptor, 1):
        return 0, sha256().digest(), 0
    return 0, NO_DIGEST, errno.EINVAL
