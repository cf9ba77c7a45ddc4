"""From a key to the folder that holds it: segment by segment, never out of the root, never through a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from archive_tui.errors import InvalidName
from archive_tui.names.object_keys import is_temporary_name

_PATH_ONLY = getattr(os, "O_PATH", os.O_RDONLY)
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC

RETRIES = 20
"""How often a folder may vanish between its making and its opening, while another writer takes back its own."""


def check_readable_key(key: str) -> str:
    """Returns `key` as it is.

    Wider than `check_key`: what others have put into a folder can be read, whatever its name, also when it is not UTF-8
    (surrogate escapes). What could lead out of the root is refused all the same.

    Raises: InvalidName.
    """
    segments = key.split("/")
    if not key or "\0" in key or any(segment in ("", ".", "..") for segment in segments):
        raise InvalidName(f"Key refused, it is empty or has an empty, . or .. segment: {key[:200]!r}", name=key)
    if any(is_temporary_name(segment) for segment in segments):
        raise InvalidName(f"Key refused, the name is reserved for unfinished writes: {key[:200]!r}", name=key)
    try:
        os.fsencode(key)
    except UnicodeEncodeError as error:
        raise InvalidName(f"Key refused, no file can have such a name: {key[:200]!r}", name=key) from error
    return key


def split_key(key: str) -> tuple[str, str]:
    """Returns folder part (no slash at its end, may be empty) and name."""
    folder, _, name = key.rpartition("/")
    return folder, name


def open_root(root: Path) -> int:
    """Raises: OSError."""
    return os.open(root, os.O_RDONLY | _FOLDER)


def open_folder(root: Path, folder: str, *, enters_symlinks: bool) -> int:
    """Opens the folder below `root` for listing, locking and syncing; the caller closes it.

    Without `enters_symlinks` each segment is opened relative to its parent and must not be a link, so no change to the
    tree by somebody else can lead out of the root.

    Raises: OSError; NotADirectoryError or ELOOP for a link.
    """
    if not folder:
        return open_root(root)
    if enters_symlinks:
        return os.open(root / folder, os.O_RDONLY | _FOLDER)
    current = open_root(root)
    segments = folder.split("/")
    for position, segment in enumerate(segments):
        access = os.O_RDONLY if position == len(segments) - 1 else _PATH_ONLY
        current = _step(current, segment, access)
    return current


def _step(parent_fd: int, segment: str, access: int) -> int:
    try:
        return os.open(segment, access | _FOLDER | os.O_NOFOLLOW, dir_fd=parent_fd)
    except NotADirectoryError:
        if _is_link(segment, parent_fd):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), segment) from None
        raise
    finally:
        os.close(parent_fd)


def _is_link(segment: str, parent_fd: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(segment, dir_fd=parent_fd, follow_symlinks=False).st_mode)
    except OSError:
        return False


class MadeFolders:
    """Makes the missing folders of a key, durably, and can take back those it has made as long as they are empty."""

    def __init__(self, root: Path, *, enters_symlinks: bool) -> None:
        self._root = root
        self._enters_symlinks = enters_symlinks
        self._made: list[str] = []

    def open(self, folder: str) -> int:
        """Opens `folder`, making what is missing. Raises: OSError."""
        for _ in range(RETRIES):
            with contextlib.suppress(FileNotFoundError):
                return open_folder(self._root, folder, enters_symlinks=self._enters_symlinks)
            self._make(folder)
        return open_folder(self._root, folder, enters_symlinks=self._enters_symlinks)

    def _make(self, folder: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        segments = folder.split("/") if folder else []
        for depth in range(len(segments)):
            parent, name = "/".join(segments[:depth]), segments[depth]
            try:
                parent_fd = open_folder(self._root, parent, enters_symlinks=self._enters_symlinks)
            except FileNotFoundError:
                return
            try:
                os.mkdir(name, dir_fd=parent_fd)
                self._made.append("/".join(segments[: depth + 1]))
                os.fsync(parent_fd)
            except FileExistsError:
                continue
            finally:
                os.close(parent_fd)

    def take_back(self) -> None:
        """Removes what was made, if nobody has put anything there. Never raises OSError."""
        for folder in reversed(self._made):
            parent, name = split_key(folder)
            with contextlib.suppress(OSError):
                parent_fd = open_folder(self._root, parent, enters_symlinks=self._enters_symlinks)
                try:
                    os.rmdir(name, dir_fd=parent_fd)
                finally:
                    os.close(parent_fd)
        self._made.clear()
