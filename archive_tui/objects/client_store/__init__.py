"""A stranger's storage client, which knows three calls, as an object store."""

from archive_tui.objects.client_store.store import ClientStore

__all__ = ["ClientStore"]
