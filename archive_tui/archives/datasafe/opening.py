"""Opens a datasafe in a folder or in an object store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from archive_tui.archives.datasafe.safe import Safe
from archive_tui.archives.datasafe.stored_safe import StoredSafe
from archive_tui.errors import ConfigurationError
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.throttled_store import ThrottledStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore


def open_folder_safe(root: Path, *, create: bool = False, **options: Any) -> Safe:
    """Opens the datasafe in a folder; `options` as of StoredSafe.

    Raises: ConfigurationError when the folder does not exist, unless `create` says that it may be made.
    """
    folder = root.expanduser().absolute()
    if not create and not folder.is_dir():
        raise ConfigurationError(
            f"There is no datasafe in this folder: {root}",
            hint="Check the path; `archive-tui safe new` makes the folder with the first LOI.",
            code="no-datasafe",
        )
    return StoredSafe(FolderShelf(folder), **options)


def find_throttle(store: ObjectStore) -> ThrottledStore | None:
    """Returns the wrapper of a store that limits its bandwidth; None: nothing does."""
    while isinstance(store, WrappedStore):
        if isinstance(store, ThrottledStore):
            return store
        store = store.inner
    return None


def open_store_safe(store: ObjectStore, prefix: str = "", **options: Any) -> Safe:
    """Opens the datasafe below `prefix` of a store, which may be wrapped; in a folder it lies as plain folders.

    `options` as of StoredSafe.
    """
    bare, throttle = store, find_throttle(store)
    while isinstance(bare, WrappedStore):
        bare = bare.inner
    if isinstance(bare, FolderStore):
        return open_folder_safe(bare.root / prefix, create=True, throttle=throttle, **options)
    from archive_tui.archives.datasafe.object_shelf import ObjectShelf

    return StoredSafe(ObjectShelf(store, prefix), **options)
