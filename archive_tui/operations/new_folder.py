"""Makes an empty folder where a store has such a thing."""

from __future__ import annotations

from archive_tui.errors import ConfigurationError
from archive_tui.objects.folder.new_folder import make_new_folder
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.selected_entries import innermost


def make_folder(store: ObjectStore, prefix: str) -> None:
    """Makes the folder, and those above it that are missing; durable when it returns. `prefix` may end in `/`.

    Raises: ConfigurationError (folders-by-name) where a store knows no folders; InvalidName; ObjectExists when
    something of that name lies there; what the store raises.
    """
    folder = innermost(store)
    if not isinstance(folder, FolderStore):
        raise ConfigurationError(
            f"There are no folders but by their names in {store.label}.",
            hint="A folder appears with the first object in it: copy something to that name.",
            code="folders-by-name",
        )
    make_new_folder(folder, prefix.rstrip("/"))
