"""The one way to write a local file: it is there whole, durable and proven, or it is not there.

Temporary file in the same folder, write and hash, length and digest, permissions, fsync, read back, close, link
(create-only) or rename (replace), fsync of the folder. Whatever fails on the way, the temporary file is removed; what
a killed process leaves is removed by the next writer (`temporary_entries`). A descriptor whose fsync failed is never
synced again: the kernel may have dropped the pages and would report success.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from archive_tui.errors import HashError
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.create_only import link_or_claim
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.kept_parts import KEPT_FROM, KeptPart, new_kept_name
from archive_tui.objects.folder.paths import sync_folder as sync_folder
from archive_tui.objects.folder.read_back import ReadBack
from archive_tui.objects.folder.temporary_entries import create_locked_file, locked_folder, new_temporary_name
from archive_tui.progress import StopSignal, never

LABEL = "the local file system"


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """`digest` is that of what was read back. `status` is the file's, under its final name. `hard_links` False: the
    file system has none, and create-only rests on a claim file that other programs do not honour."""

    digest: str
    size: int
    status: os.stat_result
    hard_links: bool = True


def write_atomically(
    path: Path,
    chunks: Iterable[Chunk],
    size: int | None = None,
    *,
    digest: str | None = None,
    overwrite: bool = False,
    mode: int = 0o666,
    stop: StopSignal = never,
    sent: Callable[[int], None] | None = None,
) -> WrittenFile:
    """Writes the stream to `path`, whose folder exists; see `write_in_folder` for the guarantees."""
    with translate_os_errors(str(path), LABEL):
        folder_fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        source = CheckedSource(chunks, size, digest, stop=stop, sent=sent, name=str(path))
        return write_in_folder(folder_fd, path.name, source, overwrite=overwrite, mode=mode, label=LABEL, key=str(path))
    finally:
        os.close(folder_fd)


def write_in_folder(
    folder_fd: int,
    name: str,
    source: CheckedSource,
    *,
    overwrite: bool = False,
    mode: int = 0o666,
    label: str = LABEL,
    key: str = "",
    check_before_replacing: Callable[[], None] | None = None,
    syncs_folder: bool = True,
    sync: Callable[[int], None] = os.fsync,
    part: KeptPart | None = None,
) -> WrittenFile:
    """Writes `source` as the file `name` of an open folder.

    All or nothing, also for BaseException. Without `overwrite` an existing entry of that name is never replaced, and
    of racing writers one wins. `mode`: permission bits, further limited by the umask. `check_before_replacing` is
    called under a lock that all replacing writers of this program take, right before the rename; what it raises
    abandons the write. Without `syncs_folder` the content is durable, and the name only when the caller has synced the
    folder, once for many files. `sync` makes the content of a descriptor durable; a caller with many threads may do
    something around it. `part`: a large file is kept under its temporary name where the part says so, and one that is
    there already is continued: `source` then yields its bytes first (`part.chunks`), and they are not written again.

    Raises: ObjectExists, StorageFull, AccessDenied, StorageError, HashError when other bytes are read back, and what
    `source` raises, unchanged.
    """
    draft = _Draft(folder_fd, name, mode, label, key or name, part)
    is_kept = False
    try:
        draft.open()
        draft.fill(source)
        draft.check(source, sync)
        return draft.publish(
            overwrite=overwrite, check_before_replacing=check_before_replacing, syncs_folder=syncs_folder
        )
    except BaseException as error:
        is_kept = part is not None and part.survives(error)
        raise
    finally:
        draft.discard(keeps_part=is_kept)


class _Draft:
    """A file under its temporary name. `discard` may be called at any moment, and leaves nothing of it."""

    def __init__(self, folder_fd: int, name: str, mode: int, label: str, key: str, part: KeptPart | None) -> None:
        self._folder_fd = folder_fd
        self._name = name
        self._mode = mode
        self._label = label
        self._key = key
        self._part = part
        self._temporary = new_temporary_name()
        self._is_named = False
        self._lock_fd = -1
        self._write_fd = -1
        self._read_back: ReadBack | None = None
        self._digest = ""
        self._size = 0

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return translate_os_errors(self._key, self._label, writing=True)

    def open(self) -> None:
        begin = 0
        with self._translated():
            descriptor = self._part.take(self._folder_fd) if self._part is not None else None
            if self._part is not None and self._part.name is not None and descriptor is not None:
                self._temporary, self._lock_fd, begin = self._part.name, descriptor, self._part.size
            self._is_named = True
            if descriptor is None:
                self._lock_fd = create_locked_file(self._temporary, self._folder_fd, self._mode | 0o600)
            # A second descriptor for writing, so that it can be closed before the file becomes visible, and errors
            # that a network file system keeps for the close come in time. The first one holds the lock.
            self._write_fd = os.open(self._temporary, os.O_WRONLY | os.O_NOFOLLOW, dir_fd=self._folder_fd)
            os.lseek(self._write_fd, begin, os.SEEK_SET)
        self._read_back = ReadBack(self._lock_fd, begin=begin)

    def fill(self, source: CheckedSource) -> None:
        assert self._read_back is not None
        begin, position = self._part.size if self._part is not None else 0, 0
        for chunk in source:
            position += len(chunk)
            if position <= begin:
                continue  # it has just been read from this file
            if position >= KEPT_FROM and self._part is not None and self._part.name is None:
                self._keep(self._part)
            rest = memoryview(chunk)
            with self._translated():
                while rest:
                    rest = rest[os.write(self._write_fd, rest) :]
                self._read_back.written(chunk)

    def _keep(self, part: KeptPart) -> None:
        """Gives the file the name under which it outlives this run; whoever keeps the name knows it before."""
        name = new_kept_name()
        part.note(name)
        with self._translated():
            os.rename(self._temporary, name, src_dir_fd=self._folder_fd, dst_dir_fd=self._folder_fd)
        part.name = self._temporary = name

    def check(self, source: CheckedSource, sync: Callable[[int], None]) -> None:
        assert self._read_back is not None
        with self._translated():
            permissions = os.fstat(self._write_fd).st_mode & 0o777
            if permissions & self._mode != permissions:
                os.fchmod(self._write_fd, permissions & self._mode)
            sync(self._write_fd)
            is_equal = self._read_back.finish()
            self._read_back = None
            descriptor, self._write_fd = self._write_fd, -1
            os.close(descriptor)
        if not is_equal:
            raise HashError(
                f"Other bytes than were written are read back of {self._key!r} in {self._label}",
                hint="Nothing was stored. The disk or the memory of this machine is faulty: check both.",
                code="read-back-differs",
            )
        self._digest, self._size = source.digest, source.size

    def publish(
        self, *, overwrite: bool, check_before_replacing: Callable[[], None] | None, syncs_folder: bool
    ) -> WrittenFile:
        hard_links = True
        if overwrite:
            with locked_folder(self._folder_fd):
                if check_before_replacing is not None:
                    check_before_replacing()
                with self._translated():
                    os.rename(self._temporary, self._name, src_dir_fd=self._folder_fd, dst_dir_fd=self._folder_fd)
            self._is_named = False
        else:
            with self._translated():
                hard_links = link_or_claim(self._temporary, self._name, self._folder_fd)
            self._is_named = hard_links
        if syncs_folder:
            self._make_durable(may_take_back=not overwrite)
        self._remove_temporary_name()
        with self._translated():
            return WrittenFile(self._digest, self._size, os.fstat(self._lock_fd), hard_links)

    def _make_durable(self, *, may_take_back: bool) -> None:
        try:
            with self._translated():
                sync_folder(self._folder_fd)
        except BaseException:
            # Ours beyond doubt: it was not there before, and nobody has been told about it yet.
            if may_take_back:
                with contextlib.suppress(OSError):
                    os.unlink(self._name, dir_fd=self._folder_fd)
            self._remove_temporary_name()
            raise

    def _remove_temporary_name(self) -> None:
        if self._is_named:
            self._is_named = False
            with contextlib.suppress(OSError):
                os.unlink(self._temporary, dir_fd=self._folder_fd)
        if self._part is not None and self._part.name is not None:
            self._part.note(None)

    def discard(self, *, keeps_part: bool = False) -> None:
        for descriptor in (self._write_fd, self._lock_fd):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._write_fd = self._lock_fd = -1
        if not (keeps_part and self._part is not None and self._part.name is not None):
            self._remove_temporary_name()
