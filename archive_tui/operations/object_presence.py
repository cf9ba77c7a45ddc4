"""Whether an object lies under a key."""

from __future__ import annotations

from archive_tui.errors import ObjectNotFound
from archive_tui.objects.object_store import ObjectStore


def has_object(store: ObjectStore, key: str) -> bool:
    """Raises: what the store raises but for an absent key."""
    try:
        store.info(key)
    except ObjectNotFound:
        return False
    return True
