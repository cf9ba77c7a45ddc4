"""Whether what is deleted in a store can be had back, and how."""

from __future__ import annotations

from enum import StrEnum

from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore, Support
from archive_tui.operations.selected_entries import innermost


class Trash(StrEnum):
    """`FOLDER`: the trash of this machine takes it. `VERSIONS`: the store keeps what is deleted as an earlier version.
    `NONE`: it is gone."""

    FOLDER = "folder"
    VERSIONS = "versions"
    NONE = "none"


def find_trash(store: ObjectStore) -> Trash:
    """Asks a server whether it keeps versions, once; a folder is not touched.

    Raises: what probing the store raises.
    """
    if isinstance(innermost(store), FolderStore):
        return Trash.FOLDER
    return Trash.VERSIONS if store.probe().versioning is Support.YES else Trash.NONE
