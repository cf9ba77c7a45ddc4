"""Folders below a base that stay open for a while, so that many files of the same folders are opened cheaply.

Imported by the process that hashes small files, which has to start at once: nothing of weight here.
"""

from __future__ import annotations

import os
import threading

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDERS_KEPT = 32


class OpenFolder:
    """`descriptor` is closed when the last user lets go, so that a thread may still use what another has dropped."""

    __slots__ = ("descriptor",)

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


class OpenFolders:
    """Opens folders below `base` without following a symbolic link. Safe to use from several threads; holds at most 33
    folders open."""

    def __init__(self, base: str | os.PathLike[str]) -> None:
        self._base = base
        self._root: OpenFolder | None = None
        self._folders: dict[str, OpenFolder] = {}  # the one used last stands last
        self._lock = threading.Lock()

    def open_folder(self, path: str) -> OpenFolder:
        """Returns the folder `path` below the base ("" is the base); it stays open for as long as it is held.

        Raises: OSError; ELOOP or ENOTDIR when a symbolic link is in the way.
        """
        with self._lock:
            folder = self._folders.pop(path, None) if path else self._root
            if folder is not None:
                if path:
                    self._folders[path] = folder
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
                    del self._folders[next(iter(self._folders))]
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
