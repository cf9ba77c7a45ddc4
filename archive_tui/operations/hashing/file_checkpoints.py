"""How far large files have been hashed: written down from time to time, so that a later run goes on there.

A checkpoint counts only while the file is the one that was read: same size, times and inode. What is hashed from one is
the digest of bytes that were read at different times; whoever finds it wrong reads the file again before saying so.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive_tui.continuation import Journal
from archive_tui.integrity.sealed_document import open_sealed, seal_document
from archive_tui.objects.folder.file_stamps import stamp_status
from archive_tui.objects.folder.listing import file_version

if TYPE_CHECKING:
    from archive_tui.integrity.resumable_digest import ResumableSha256

CHECKPOINT_BYTES = 64 << 20
"""Bytes between two checkpoints; so many are read again at the most."""


@dataclass(slots=True)
class ContinuedFile:
    """`size` bytes of it were hashed in an earlier run, `at` seconds since the epoch."""

    size: int
    at: float


class FileCheckpoints:
    """Those of the files of one phase. `continued`: the files that were gone on with in this run, by path. May be used
    from several threads."""

    def __init__(self, journal: Journal, phase: str, *, every: int | None = None) -> None:
        self._journal = journal
        self._phase = phase
        self._every = CHECKPOINT_BYTES if every is None else every
        self._lock = threading.Lock()
        self.continued: dict[str, ContinuedFile] = {}

    def begin(self, path: str, descriptor: int, status: os.stat_result) -> FileCheckpoint | None:
        """Returns the checkpoint of a file that is going to be hashed, the descriptor moved to where it goes on; None:
        it is too small, no regular file, was changed just now, or states of digests cannot be written down here.

        Raises: OSError.
        """
        if not stat.S_ISREG(status.st_mode) or status.st_size <= self._every:
            return None
        stamp = stamp_status(status, time.time_ns())
        if not stamp:
            return None
        from archive_tui.integrity.resumable_digest import new_resumable_sha256  # ctypes: only for large files of a job

        name = f"{self._phase} {path}"
        digest = self._find(name, path, stamp)
        if digest is not None:
            os.lseek(descriptor, digest.size, os.SEEK_SET)
        else:
            digest = new_resumable_sha256()
        return None if digest is None else FileCheckpoint(self._journal, name, self._every, descriptor, stamp, digest)

    def _find(self, name: str, path: str, stamp: str) -> ResumableSha256 | None:
        from archive_tui.integrity.resumable_digest import restore_sha256

        document = open_sealed(self._journal.load(name))
        if document is None or document.get("stamp") != stamp:
            return None
        try:
            digest = restore_sha256(bytes.fromhex(document["state"]))
            at = float(document["at"])
        except (KeyError, TypeError, ValueError):
            return None
        if digest is None or not digest.size:
            return None
        with self._lock:
            self.continued[path] = ContinuedFile(digest.size, at)
        return digest


@dataclass(slots=True)
class FileCheckpoint:
    """That of one file, while it is hashed with `digest`."""

    _journal: Journal
    _name: str
    _every: int
    _descriptor: int
    _stamp: str
    digest: ResumableSha256
    _saved: int = field(init=False)

    def __post_init__(self) -> None:
        self._saved = self.digest.size

    def reach(self, count: int) -> None:
        """Writes it down when it is time; `count` bytes are hashed, and nobody hashes now."""
        if count - self._saved < self._every:
            return
        self._saved = count
        if file_version(os.fstat(self._descriptor)) == self._stamp:
            document = {"stamp": self._stamp, "state": self.digest.save().hex(), "at": time.time()}
            self._journal.save(self._name, seal_document(document))

    def end(self) -> None:
        """The file is hashed to its end."""
        self._journal.save(self._name, None)
