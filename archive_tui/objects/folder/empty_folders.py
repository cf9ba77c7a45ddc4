"""Removes the folders that are left empty when the files in them are gone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container

from archive_tui.names.object_keys import is_temporary_name
from archive_tui.objects.folder.paths import open_folder, split_key
from archive_tui.objects.folder.store import FolderStore


def remove_empty_folders(store: FolderStore, prefix: str, *, kept: Container[str] = ()) -> int:
    """Removes the folders below `prefix` that hold nothing, the deepest first, and the one that it names itself;
    returns how many. The root of the store stays, those in `kept` (no slash at their end), and whatever holds anything,
    be it an unfinished write.

    Links are not followed, whenever they are put there. Never raises OSError.
    """
    folders = [prefix.rstrip("/")]
    removed = 0
    for folder in folders:  # grows while it is gone through: those above come before those below
        folders += [f"{folder}/{name}" if folder else name for name in _list_folders(store, folder)]
    for folder in reversed(folders):
        removed += bool(folder) and folder not in kept and _remove(store, folder)
    return removed


def _list_folders(store: FolderStore, folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        folder_fd = open_folder(store.root, folder, enters_symlinks=False)
        try:
            with os.scandir(folder_fd) as entries:
                return [
                    entry.name
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False) and not is_temporary_name(entry.name)
                ]
        finally:
            os.close(folder_fd)
    return []


def _remove(store: FolderStore, folder: str) -> bool:
    parent, name = split_key(folder)
    with contextlib.suppress(OSError):
        parent_fd = open_folder(store.root, parent, enters_symlinks=False)
        try:
            os.rmdir(name, dir_fd=parent_fd)
            return True
        finally:
            os.close(parent_fd)
    return False
