"""A local folder, or a mounted share, as an object store."""

from archive_tui.objects.folder.store import FolderStore

__all__ = ["FolderStore"]
