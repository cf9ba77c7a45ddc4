"""How paths of files that are hashed are opened; nothing of weight, for the hashing process has to start at once."""

from __future__ import annotations

import os

from archive_tui.operations.scanning.open_folders import OpenFolder, OpenFolders

_PATH_ONLY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, a pipe in the place of a file would hang the reader.
_FILE_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

LONGEST_SPLIT = 3000
"""Bytes. A longer path is opened as one, so that the system refuses what is too long for it."""


class ContainedPaths:
    """Paths below `root`, no symbolic link followed on the way. Safe to use from several threads."""

    follows = False
    flags = _FILE_FLAGS | os.O_NOFOLLOW

    def __init__(self, root: str) -> None:
        self._folders = OpenFolders(root)

    def open_folder(self, folder: bytes) -> OpenFolder:
        """`folder` is empty or ends in `/`.

        Raises: OSError; ELOOP or ENOTDIR when a symbolic link is in the way.
        """
        return self._folders.open_folder(os.fsdecode(folder[:-1]))

    def open_file(self, path: bytes) -> int:
        """Returns a descriptor; the caller closes it.

        Raises: OSError.
        """
        cut = path.rfind(b"/") + 1
        return os.open(path[cut:], self.flags, dir_fd=self.open_folder(path[:cut]).descriptor)

    def close(self) -> None:
        self._folders.close()


class FollowedPaths:
    """Paths as open(2) takes them, relative ones from `root`: with `..`, absolute, through symbolic links."""

    follows = True
    flags = _FILE_FLAGS

    def __init__(self, root: str) -> None:
        self._root = root
        self._base: OpenFolder | None = None

    def open_folder(self, folder: bytes) -> OpenFolder:
        """`folder` is empty or ends in `/`; what may not be listed can be entered all the same.

        Raises: OSError.
        """
        if folder.startswith(b"/"):
            return OpenFolder(os.open(folder, _PATH_ONLY))
        if self._base is None:
            self._base = OpenFolder(os.open(self._root, _PATH_ONLY))
        return OpenFolder(os.open(folder, _PATH_ONLY, dir_fd=self._base.descriptor)) if folder else self._base

    def open_file(self, path: bytes) -> int:
        """Returns a descriptor; the caller closes it.

        Raises: OSError.
        """
        folder = b"/" if path.startswith(b"/") else b""
        return os.open(path, self.flags, dir_fd=self.open_folder(folder).descriptor)

    def close(self) -> None:
        self._base = None


Paths = ContainedPaths | FollowedPaths


def open_paths(root: str, *, follow_symlinks: bool) -> Paths:
    return FollowedPaths(root) if follow_symlinks else ContainedPaths(root)
