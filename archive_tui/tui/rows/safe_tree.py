"""The LOIs of a datasafe as a tree: folders by the elements of the LOI, the LOIs with their states at the ends."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState


class SafeFolder:
    """`path` is the beginning of its LOIs and ends in `/`; `leaves` are positions of those that lie right in it. The
    counts are of all that lies below."""

    __slots__ = ("damaged", "folders", "leaves", "lois", "parent", "path", "reserved", "size", "unknown_sizes")

    def __init__(self, path: str, parent: SafeFolder | None) -> None:
        self.path = path
        self.parent = parent
        self.folders: list[SafeFolder] = []
        self.leaves = array("q")
        self.lois = self.damaged = self.reserved = self.size = self.unknown_sizes = 0

    def count(self, entry: SafeEntry, by: int = 1) -> None:
        self.lois += by
        self.damaged += by * (entry.state is SafeState.DAMAGED)
        self.reserved += by * (entry.state is SafeState.RESERVED)
        if entry.size is not None:
            self.size += by * entry.size
        elif entry.state is not SafeState.RESERVED:
            self.unknown_sizes += by


class SafeTree:
    """Grows while a thread lists; others may look at what is there. The order is that of the listing."""

    def __init__(self) -> None:
        self.entries: list[SafeEntry] = []
        self.root = SafeFolder("", None)
        self._folders: dict[str, SafeFolder] = {"": self.root}
        self._positions: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def append(self, entry: SafeEntry) -> None:
        """A LOI that is there already is left as it was."""
        if entry.loi in self._positions:
            return
        position = len(self.entries)
        folder = self._folder(parent_path(entry.loi))
        self.entries.append(entry)
        self._positions[entry.loi] = position
        folder.leaves.append(position)
        self._count(folder, entry, 1)

    def replace(self, entry: SafeEntry) -> None:
        """Takes what is known now of a LOI; one that is not there is left out."""
        position = self._positions.get(entry.loi)
        if position is None:
            return
        folder = self._folder(parent_path(entry.loi))
        self._count(folder, self.entries[position], -1)
        self.entries[position] = entry
        self._count(folder, entry, 1)

    def position(self, loi: str) -> int | None:
        return self._positions.get(loi)

    def folder(self, path: str) -> SafeFolder | None:
        return self._folders.get(path)

    @property
    def folder_paths(self) -> set[str]:
        return set(self._folders)

    @property
    def top(self) -> SafeFolder:
        """The deepest folder in which all LOIs lie."""
        return joined(self.root)

    def _folder(self, path: str) -> SafeFolder:
        found = self._folders.get(path)
        if found is None:
            parent = self._folder(parent_path(path.rstrip("/")))
            found = self._folders[path] = SafeFolder(path, parent)
            parent.folders.append(found)
        return found

    @staticmethod
    def _count(folder: SafeFolder | None, entry: SafeEntry, by: int) -> None:
        while folder is not None:
            folder.count(entry, by)
            folder = folder.parent


def joined(folder: SafeFolder, most: float = math.inf) -> SafeFolder:
    """A folder that holds nothing but another folder is one row with it, as long as their names have no more than
    `most` letters."""
    start = len(parent_path(folder.path.rstrip("/")))
    while len(folder.folders) == 1 and not folder.leaves and len(folder.folders[0].path) - start <= most:
        folder = folder.folders[0]
    return folder


def parent_path(path: str) -> str:
    """`a/b/` of `a/b/c`; empty at the top."""
    return path[: path.rfind("/") + 1]


def paths_above(loi: str) -> Iterator[str]:
    """All folders in which a LOI lies, from below."""
    path = parent_path(loi)
    while path:
        yield path
        path = parent_path(path.rstrip("/"))
