"""What the datasafe says of its datasets, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from archive_tui.archives.datasafe.safe import DatasetDescription, SafeEntry
from archive_tui.manifests.datasafe_manifest import manifest_document


def index_document(entries: Iterable[SafeEntry]) -> dict[str, Any]:
    return {"datasets": [entry_document(entry) for entry in entries]}


def entry_document(entry: SafeEntry) -> dict[str, Any]:
    """Sizes in bytes, times as ISO 8601 in UTC; null: not known."""
    return {
        "loi": entry.loi,
        "state": str(entry.state),
        "files": entry.files,
        "size": entry.size,
        "modified": _iso(entry.modified),
        "digest": entry.digest,
        "old_versions": entry.old_versions,
        "detail": entry.detail,
    }


def description_document(found: DatasetDescription) -> dict[str, Any]:
    return {
        "entry": entry_document(found.entry),
        "manifest": None if found.manifest is None else manifest_document(found.manifest),
        "files": [{"path": each.path, "size": each.size, "sha256": each.digest} for each in found.inventory],
        "metadata": [{"name": each.name, "text": each.text, "is_cut": each.is_cut} for each in found.metadata],
        "old_versions": [
            {"number": each.number, "replaced_at": _iso(each.replaced_at), "size": each.size, "digest": each.digest}
            for each in found.old_versions
        ],
    }


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
