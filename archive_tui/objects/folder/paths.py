"""From a key to the folder that holds it: segment by segment, never out of the root, never through a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterable
from pathlib import Path

from archive_tui.errors import InvalidName
from archive_tui.names.object_keys import is_temporary_name

_PATH_ONLY = getattr(os, "O_PATH", os.O_RDONLY)
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC

Place = tuple[int, int]
"""Device and inode."""

MOST_PLACES = 1 << 16
"""How many folders are remembered at a time, by whoever remembers some: about 10 MB."""

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
    """Opens a folder and closes its parent."""
    try:
        return _enter(parent_fd, segment, access | os.O_NOFOLLOW)
    finally:
        os.close(parent_fd)


def _enter(parent_fd: int, segment: str, access: int) -> int:
    try:
        return os.open(segment, access | _FOLDER, dir_fd=parent_fd)
    except NotADirectoryError:
        if access & os.O_NOFOLLOW and _is_link(segment, parent_fd):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), segment) from None
        raise


def _is_link(segment: str, parent_fd: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(segment, dir_fd=parent_fd, follow_symlinks=False).st_mode)
    except OSError:
        return False


class DurableFolders:
    """Which folders are known to be durable in their parents, by device and inode. Forgetting one costs an fsync."""

    def __init__(self) -> None:
        self._known: set[Place] = set()
        self._lock = threading.Lock()

    def is_known(self, place: Place) -> bool:
        return place in self._known

    def add(self, places: Iterable[Place]) -> None:
        with self._lock:
            if len(self._known) >= MOST_PLACES:
                self._known.clear()
            self._known.update(places)


class MadeFolders:
    """Makes the missing folders of a key, durably, and can take back those it has made as long as they are empty.

    A folder is durable when its entry in its parent is, so each parent is synced once. That may wait until the file
    that is to lie in the folders has been synced (`open_unsynced`, then `sync`): where the file system keeps a journal,
    that one fsync has written the entries as well, and those of the parents find little left to do. They are called all
    the same, for not every file system is like that: what is acknowledged after `sync` survives a crash.

    `durable`: also folders that are there already are synced in their parents, unless they are known: another process
    may have made them a moment ago and not have synced them yet.
    """

    def __init__(self, root: Path, *, enters_symlinks: bool, durable: DurableFolders | None = None) -> None:
        self._root = root
        self._no_links = 0 if enters_symlinks else os.O_NOFOLLOW
        self._enters_symlinks = enters_symlinks
        self._durable = durable
        self._made: list[str] = []
        self._unsynced: list[tuple[int, Place]] = []
        self.made_last = False
        """True if the folder that was opened last was made for it."""

    def open(self, folder: str) -> int:
        """Opens `folder`, making what is missing; it is durable. Raises: OSError."""
        folder_fd = self.open_unsynced(folder)
        try:
            self.sync()
        except BaseException:
            os.close(folder_fd)
            raise
        return folder_fd

    def open_unsynced(self, folder: str) -> int:
        """Opens `folder`, making what is missing; it is durable only when `sync` has returned. Raises: OSError."""
        for _ in range(RETRIES):
            with contextlib.suppress(FileNotFoundError):
                return self._walk(folder)
        return self._walk(folder)

    def sync(self) -> None:
        """Makes the folders on the way durable. Raises: OSError; what has failed is not tried again."""
        unsynced, self._unsynced = self._unsynced, []
        try:
            for parent_fd, _ in unsynced:
                sync_folder(parent_fd)
            if self._durable is not None:
                self._durable.add(place for _, place in unsynced)
        finally:
            for parent_fd, _ in unsynced:
                os.close(parent_fd)

    def take_back(self) -> None:
        """Removes what was made, if nobody has put anything there. Never raises OSError."""
        unsynced, self._unsynced = self._unsynced, []
        for parent_fd, _ in unsynced:
            os.close(parent_fd)
        for folder in reversed(self._made):
            parent, name = split_key(folder)
            with contextlib.suppress(OSError):
                parent_fd = open_folder(self._root, parent, enters_symlinks=self._enters_symlinks)
                try:
                    os.rmdir(name, dir_fd=parent_fd)
                finally:
                    os.close(parent_fd)
        self._made.clear()

    def _walk(self, folder: str) -> int:
        try:
            current = open_root(self._root)
        except FileNotFoundError:
            _make_root(self._root)
            current = open_root(self._root)
        segments = folder.split("/") if folder else []
        for depth, segment in enumerate(segments, 1):
            access = os.O_RDONLY if depth == len(segments) else _PATH_ONLY
            try:
                child = self._enter_or_make(current, segment, access | self._no_links, "/".join(segments[:depth]))
            finally:
                os.close(current)
            current = child
        return current

    def _enter_or_make(self, parent_fd: int, segment: str, access: int, path: str) -> int:
        self.made_last = False
        try:
            child = _enter(parent_fd, segment, access)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.mkdir(segment, dir_fd=parent_fd)
                self._made.append(path)
                self.made_last = True
            child = _enter(parent_fd, segment, access)
        try:
            self._note_unsynced(parent_fd, child)
        except BaseException:
            os.close(child)
            raise
        return child

    def _note_unsynced(self, parent_fd: int, child: int) -> None:
        if not self.made_last and self._durable is None:
            return
        status = os.fstat(child)
        place = (status.st_dev, status.st_ino)
        if not self.made_last and self._durable is not None and self._durable.is_known(place):
            return
        try:
            # What the walk goes through is only a path, which cannot be synced.
            self._unsynced.append((os.open(".", os.O_RDONLY | _FOLDER, dir_fd=parent_fd), place))
        except PermissionError:
            if self.made_last:
                raise


def _make_root(root: Path) -> None:
    """Makes the root and what is missing above it, durably. Raises: OSError."""
    missing = [path for path in (root, *root.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        with contextlib.suppress(PermissionError):
            parent_fd = open_root(path.parent)
            try:
                sync_folder(parent_fd)
            finally:
                os.close(parent_fd)


def sync_folder(folder_fd: int) -> None:
    """Makes the names in an open folder durable; a file system that cannot sync folders is no error.

    Raises: OSError.
    """
    try:
        os.fsync(folder_fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise
