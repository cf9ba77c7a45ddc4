"""What a datasafe's server says of its datasets, as JSON, in this program's records. Nothing is believed unseen."""

from __future__ import annotations

import json
from typing import Any

from archive_tui.archives.datasafe.safe import DatasetDescription, MetadataText, OldVersion, SafeEntry, SafeState
from archive_tui.errors import ArchiveError
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.manifests.datasafe_manifest import DatasafeManifest, parse_datasafe_manifest
from archive_tui.objects.http.failures import unreadable_reply
from archive_tui.objects.http.index import read_count, read_digest, read_moment


def parse_entry(row: dict[str, Any], label: str) -> SafeEntry:
    """Reads one row of the index. Raises: StorageError (code `unusable-reply`)."""
    loi = row.get("loi")
    try:
        state = SafeState(str(row.get("state")))
    except ValueError as error:
        raise unreadable_reply(label, str(loi), "a dataset has a state that nobody knows") from error
    if not isinstance(loi, str):
        raise unreadable_reply(label, "", "a dataset has no LOI")
    return SafeEntry(
        loi,
        state,
        read_count(row.get("files")),
        read_count(row.get("size")),
        read_moment(row.get("modified")),
        read_digest(row.get("digest")),
        read_count(row.get("old_versions")) or 0,
        str(row.get("detail") or ""),
    )


def parse_description(document: dict[str, Any], loi: str, label: str) -> DatasetDescription:
    """Reads the description of `loi`. Raises: StorageError (code `unusable-reply`), also for that of another LOI."""
    row = document.get("entry")
    if not isinstance(row, dict) or row.get("loi") != loi:
        raise unreadable_reply(label, loi, "it describes another dataset")
    try:
        return DatasetDescription(
            parse_entry(row, label),
            _parse_manifest(document.get("manifest")),
            Inventory(_parse_file(file) for file in document.get("files") or ()),
            tuple(_parse_metadata(text) for text in document.get("metadata") or ()),
            tuple(_parse_old_version(old) for old in document.get("old_versions") or ()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ArchiveError) and error.code == "unusable-reply":
            raise
        raise unreadable_reply(label, loi, "its description has another form than ours") from error


def _parse_manifest(document: object) -> DatasafeManifest | None:
    """JSON is YAML: so the one reader of manifests judges this one as well."""
    if document is None:
        return None
    content = json.dumps(document, ensure_ascii=False).encode()  # YAML knows no surrogate pairs
    return parse_datasafe_manifest(content, where="the manifest that the server describes")


def _parse_file(row: dict[str, Any]) -> Entry:
    return Entry(_text(row["path"]), read_count(row.get("size")), read_digest(row.get("sha256")))


def _parse_metadata(row: dict[str, Any]) -> MetadataText:
    return MetadataText(_text(row["name"]), _text(row["text"]), row.get("is_cut") is True)


def _parse_old_version(row: dict[str, Any]) -> OldVersion:
    number = read_count(row["number"])
    if not number:
        raise ValueError("an old version without a number")
    return OldVersion(
        number, read_moment(row.get("replaced_at")), read_count(row.get("size")), read_digest(row.get("digest"))
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value
