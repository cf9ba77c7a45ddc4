"""What a selection of names means in a store: its objects, one after the other, and what there is beside objects.

A selection is a `base` (empty, or ending in `/`) and names below it: `a/b.dat` is one object, `a/` all that lies below
`a/`, and the empty name all that lies below the base.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archive_tui.objects.folder.listing import describe_file
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.folder_listing import EMPTY_FOLDER, ListedFile, list_folder_files
from archive_tui.progress import StopSignal, check_stop, never

NOTHING_THERE = "nothing lies there"
LINK = "a symbolic link"


class SelectedEntry(NamedTuple):
    """`info` None: not known before somebody asks the store; `problem` says what it is instead of an object (a link, a
    folder that cannot be read); `is_empty_folder` has neither."""

    key: str
    info: ObjectInfo | None = None
    problem: str = ""
    is_empty_folder: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Iterating it lists the store anew, page by page: memory does not grow with the number of objects."""

    store: ObjectStore
    base: str
    names: Sequence[str]

    def entries(self, *, stop: StopSignal = never) -> Iterator[SelectedEntry]:
        """Yields each object, in the order of the names and of the store's listings.

        In a folder of this machine also what is no object: symbolic links, which are not followed, pipes and devices,
        folders that are empty, and those that cannot be read. Unfinished writes are nothing of that.

        Raises: OperationStopped, what the store raises.
        """
        for name in self.names:
            check_stop(stop)
            key = self.base + name
            if name and not name.endswith("/"):
                yield SelectedEntry(key)
            else:
                yield from self._below(key, stop)

    def _below(self, prefix: str, stop: StopSignal) -> Iterator[SelectedEntry]:
        store = innermost(self.store)
        if isinstance(store, FolderStore):
            yield from _walk_folder(store, prefix, stop)
            return
        found = False
        for listed in self.store.list(prefix):
            check_stop(stop)
            if isinstance(listed, ObjectInfo):
                found = True
                yield SelectedEntry(listed.key, listed)
        if not found:
            yield SelectedEntry(prefix, None, NOTHING_THERE)


def innermost(store: ObjectStore) -> ObjectStore:
    """Returns the store itself, without what has been wrapped around it."""
    while isinstance(store, WrappedStore):
        store = store.inner
    return store


def whole_key(store: ObjectStore, key: str) -> str:
    """Returns the key with what leads to the store, where that is a folder of this machine: a folder deep in an archive
    must not hide what the names in it mean."""
    folder = innermost(store)
    return f"{folder.root}/{key}" if isinstance(folder, FolderStore) else key


def _walk_folder(store: FolderStore, prefix: str, stop: StopSignal) -> Iterator[SelectedEntry]:
    folder = store.local_path(prefix.rstrip("/")) if prefix else store.root
    if prefix and folder.is_symlink():
        yield SelectedEntry(prefix.rstrip("/"), None, LINK)
        return
    if not folder.is_dir():
        yield SelectedEntry(prefix, None, NOTHING_THERE)
        return
    for found in list_folder_files(folder, stop=stop, empty_folders=True):
        yield _describe_entry(found, prefix)


def _describe_entry(found: ListedFile, prefix: str) -> SelectedEntry:
    key = prefix if found.path == "." else prefix + found.path
    if found.error is not None:
        reason = found.error.strerror or type(found.error).__name__
        return SelectedEntry(key, None, f"a folder that cannot be read: {reason}")
    if found.detail == EMPTY_FOLDER:
        return SelectedEntry(key, None, is_empty_folder=True)
    if found.status is None:
        return SelectedEntry(key, None, found.detail)
    return SelectedEntry(key, describe_file(key, found.status))
