"""Opens files below a folder without ever following a symbolic link, and cheaply for many files of the same folders."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from archive_tui.errors import SourceChanged, SourceError, SourceNotFound, SourceUnreadable
from archive_tui.names.display import escape_for_display

if TYPE_CHECKING:  # the process that hashes small files starts in half the time without it
    from pathlib import Path

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, a pipe that took the place of a file would hang the reader.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDERS_KEPT = 32
_MOVING_HINT = "Wait until nothing changes the source any more, then run the same again."


class OpenFolder:
    """`descriptor` is closed when the last user lets go, so that a thread may still use what another has dropped."""

    __slots__ = ("descriptor",)

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


class ContainedOpener:
    """Opens regular files below `base`. Safe to use from several threads; holds at most 33 folders open."""

    def __init__(self, base: Path | str) -> None:
        self._base = base
        self._root: OpenFolder | None = None
        self._folders: OrderedDict[str, OpenFolder] = OrderedDict()
        self._lock = threading.Lock()

    def open_regular_file(self, path: str) -> int:
        """Returns a descriptor for reading, at the beginning of the file; the caller closes it.

        Raises: SourceChanged (vanished, or something else than a regular file is there), SourceUnreadable,
        SourceError for what else the system refuses.
        """
        parent, _, name = path.rpartition("/")
        try:
            folder = self.open_folder(parent)
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=folder.descriptor)
        except OSError as error:
            raise translate_read_error(path, error) from error
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise SourceChanged(f"No regular file any more: {escape_for_display(path)}", path=path, hint=_MOVING_HINT)

    def open_folder(self, path: str) -> OpenFolder:
        """Returns the folder `path` below the base ("" is the base); it stays open for as long as it is held.

        Raises: OSError; ELOOP or ENOTDIR when a symbolic link is in the way.
        """
        with self._lock:
            folder = self._folders.get(path) if path else self._root
            if folder is not None:
                if path:
                    self._folders.move_to_end(path)
                return folder
        if not path:
            folder = OpenFolder(os.open(self._base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        else:
            folder = self._open_below(path)
        with self._lock:
            if not path:
                self._root = folder
            else:
                self._folders[path] = folder
                if len(self._folders) > _FOLDERS_KEPT:
                    self._folders.popitem(last=False)
        return folder

    def _open_below(self, path: str) -> OpenFolder:
        """Walks down from the root, or from the parent when that is open; a loop, for paths may be very deep."""
        parent, _, name = path.rpartition("/")
        with self._lock:
            known = self._folders.get(parent)
        if known is not None:
            return OpenFolder(os.open(name, _FOLDER_FLAGS, dir_fd=known.descriptor))
        folder = self.open_folder("")
        for segment in path.split("/"):
            folder = OpenFolder(os.open(segment, _FOLDER_FLAGS, dir_fd=folder.descriptor))
        return folder

    def close(self) -> None:
        """Lets go of all folders."""
        with self._lock:
            self._folders.clear()
            self._root = None


def translate_read_error(path: str, error: OSError) -> SourceError:
    """Returns the error of this package for a file that could not be opened or read."""
    shown = escape_for_display(path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return SourceChanged(
            f"Vanished while it was read: {shown}", path=path, hint=_MOVING_HINT, code="source-vanished"
        )
    if error.errno == errno.ELOOP:
        return SourceChanged(
            f"A symbolic link took the place of a file or folder: {shown}", path=path, hint=_MOVING_HINT
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return SourceUnreadable(
            f"May not be read: {shown}", path=path, hint="Give your user the right to read it, or leave it out."
        )
    reason = error.strerror or str(error)
    return SourceError(f"Cannot be read ({reason}): {shown}", path=path, hint="Check the disk or the connection to it.")


def source_not_found(source: Path) -> SourceNotFound:
    return SourceNotFound(
        f"No such file or folder: {escape_for_display(str(source))}",
        path=str(source),
        hint="Check the spelling; a relative path starts at the current folder.",
    )
