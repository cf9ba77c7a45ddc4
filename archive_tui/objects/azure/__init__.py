"""Azure Blob as an object store."""

from archive_tui.objects.azure.store import AzureStore

__all__ = ["AzureStore"]
