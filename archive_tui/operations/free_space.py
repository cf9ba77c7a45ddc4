"""How much room there is, before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

from archive_tui.errors import StorageFull

SLACK = 16 << 20
"""Bytes that are left for the file system's own records."""


def free_bytes(folder: Path) -> int | None:
    """Bytes that this user may still write at `folder`, which need not exist yet; None when it cannot be known."""
    existing = next((place for place in (folder, *folder.absolute().parents) if place.is_dir()), None)
    if existing is None:
        return None
    try:
        return shutil.disk_usage(existing).free
    except OSError:
        return None


def check_room(folder: Path, needed: int) -> None:
    """Raises: StorageFull when `needed` bytes certainly do not fit at `folder`."""
    free = free_bytes(folder)
    if free is not None and needed > 0 and free < needed + SLACK:
        raise StorageFull(
            f"Not enough room in {folder}: {needed:,} bytes needed, {free:,} free",
            store=f"folder {folder}",
            hint="Free some space, or choose another folder with --to.",
        )
