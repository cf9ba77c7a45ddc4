"""Makes an empty folder below the root of a store, as a person does."""

from __future__ import annotations

import os

from archive_tui.errors import ObjectExists
from archive_tui.names.object_keys import check_key
from archive_tui.objects.folder.create_only import exists
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.paths import MadeFolders, split_key, sync_folder
from archive_tui.objects.folder.store import FolderStore


def make_new_folder(store: FolderStore, key: str) -> None:
    """Makes the folder and what is missing above it; each is durable when this returns, or none was made.

    Raises: InvalidName; ObjectExists; StorageError as of a put.
    """
    check_key(key)
    above, name = split_key(key)
    made = MadeFolders(store.root, enters_symlinks=store.enters_symlinks)
    try:
        with translate_os_errors(key, store.label, writing=True):
            parent_fd = made.open(above)
            try:
                _make(name, parent_fd, key, store.label)
            finally:
                os.close(parent_fd)
    except BaseException:
        made.take_back()
        raise


def _make(name: str, parent_fd: int, key: str, label: str) -> None:
    try:
        os.mkdir(name, dir_fd=parent_fd)
    except FileExistsError as error:
        what = "A folder" if _is_folder(name, parent_fd) else "Something else"
        raise ObjectExists(
            f"{what} of this name is there already in {label}: {key}", key=key, store=label, hint="Choose another name."
        ) from error
    sync_folder(parent_fd)


def _is_folder(name: str, parent_fd: int) -> bool:
    if not exists(name, parent_fd):
        return False
    try:
        os.close(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent_fd))
    except OSError:
        return False
    return True
