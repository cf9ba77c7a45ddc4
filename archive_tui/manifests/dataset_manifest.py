"""`manifest.json` of a dataset: when it was made, and every file with its SHA-256.

    {"datetime": ISO 8601, "files": [{"file": path, "sha256": hex, "size": bytes}, …],
     "dataset": {…}, "archive": {"key": …, "size": …, "sha256": …}}

`size`, `dataset` and `archive` are ours and may be absent; names that nobody here knows are kept as they are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from archive_tui.errors import ConfigurationError, InvalidName, ManifestError
from archive_tui.integrity.digest import is_sha256_hex, normalise_sha256
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.manifests.manifest_document import format_document, format_text, format_value, parse_json_object
from archive_tui.names.display import escape_for_display
from archive_tui.names.member_paths import MANIFEST_NAME, check_member_path, find_clashes, find_path_fault

__all__ = [
    "MANIFEST_NAME",
    "TIME_NOT_RECORDED",
    "ArchiveReference",
    "DatasetManifest",
    "format_dataset_manifest",
    "is_dataset_manifest",
    "manifest_time",
    "parse_carried_manifest",
    "parse_dataset_manifest",
]

TIME_NOT_RECORDED = datetime.fromtimestamp(0, UTC)
"""`created` of a document without a `datetime`."""

LARGEST_SIZE = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class ArchiveReference:
    """The archive that a manifest beside it describes: its key, its size in bytes, its SHA-256."""

    key: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class DatasetManifest:
    """`created` is aware (UTC). `dataset` describes the data, `archive` is None inside an archive. `extra` holds the
    unknown names at the top, `file_extra` those of single files, by path."""

    created: datetime
    inventory: Inventory
    dataset: Mapping[str, Any] = field(default_factory=dict)
    archive: ArchiveReference | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    file_extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def parse_dataset_manifest(data: bytes, *, where: str = MANIFEST_NAME) -> DatasetManifest:
    """Returns what the document says; nothing in it is trusted. A time without a zone is UTC.

    Raises: ManifestError; its code is one of docs/errors.md: manifest-json, -encoding, -deep, -form, -too-large,
    -files, -file, -size, -digest, -duplicate, -datetime, -archive, or the rule that refuses a path (path-…, clash-…).
    """
    parsed = parse_json_object(data, where=where)
    file_extra: dict[str, Mapping[str, Any]] = {}
    inventory = Inventory(_parse_files(parsed, where, file_extra))
    for rule, paths in find_clashes(entry.path for entry in inventory):
        shown = " and ".join(escape_for_display(path) for path in paths)
        raise ManifestError(f"The manifest {where} lists paths that clash ({rule}): {shown}", code=rule)
    return _assemble(parsed, inventory, file_extra, where)


def parse_carried_manifest(data: bytes, *, where: str = MANIFEST_NAME) -> DatasetManifest | None:
    """Returns a manifest that lies in a source, or None when it is some other document of that name.

    Ours has a text `datetime` and a list `files`. Its metadata are what is carried over; its list is about to be made
    anew, so a list that no longer holds gives an empty inventory instead of an error.

    Raises: ManifestError when it is ours but its time or its archive is broken.
    """
    try:
        parsed = parse_json_object(data, where=where)
    except ManifestError:
        return None
    if not is_dataset_manifest(parsed):
        return None
    file_extra: dict[str, Mapping[str, Any]] = {}
    try:
        inventory = Inventory(_parse_files(parsed, where, file_extra))
    except ManifestError:
        inventory = Inventory()
    return _assemble(parsed, inventory, file_extra, where)


def is_dataset_manifest(parsed: Mapping[str, Any]) -> bool:
    """True when the document has the two marks of a dataset manifest: a text `datetime` and a list `files`."""
    return isinstance(parsed.get("datetime"), str) and isinstance(parsed.get("files"), list)


def _assemble(
    parsed: dict[str, Any], inventory: Inventory, file_extra: Mapping[str, Mapping[str, Any]], where: str
) -> DatasetManifest:
    extra = {name: value for name, value in parsed.items() if name not in ("datetime", "files")}
    dataset = extra.pop("dataset") if isinstance(extra.get("dataset"), dict) else {}
    archive = _parse_archive(extra.pop("archive"), where) if isinstance(extra.get("archive"), dict) else None
    return DatasetManifest(_parse_created(parsed, where), inventory, dataset, archive, extra, file_extra)


def _parse_files(parsed: dict[str, Any], where: str, file_extra: dict[str, Mapping[str, Any]]) -> Iterator[Entry]:
    files = parsed.get("files")
    if not isinstance(files, list):
        raise ManifestError(
            f"The manifest {where} has no list 'files'",
            hint="It is perhaps a manifest of another program.",
            code="manifest-files",
        )
    for position, item in enumerate(files):
        if not isinstance(item, dict) or not isinstance(item.get("file"), str):
            raise ManifestError(f"The manifest {where} has no file name in entry {position}", code="manifest-file")
        path = item["file"]
        if find_path_fault(path) is not None:
            raise _refuse_path(path, where)
        digest, size = item.get("sha256"), item.get("size")
        if not is_sha256_hex(digest):
            digest = normalise_sha256(digest, where=escape_for_display(path))  # raises
        if len(item) > (3 if "size" in item else 2):
            file_extra[path] = {name: item[name] for name in item if name not in ("file", "sha256", "size")}
        if type(size) is not int or not 0 <= size <= LARGEST_SIZE:
            size = _parse_size(size, path)
        yield Entry(path, size, digest.lower())


def _refuse_path(path: str, where: str) -> ManifestError:
    try:
        check_member_path(path)
    except InvalidName as error:
        return ManifestError(f"The manifest {where} is refused. {error.message}", hint=error.hint, code=error.code)
    raise AssertionError("a path with a fault is refused")


def _parse_size(size: object, of: str) -> int | None:
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= LARGEST_SIZE:
        shown = escape_for_display(f"{of}: {str(size)[:40]}")
        raise ManifestError(f"Not a size in bytes for {shown}", code="manifest-size")
    return size


def _parse_created(parsed: dict[str, Any], where: str) -> datetime:
    text = parsed.get("datetime")
    if text is None:
        return TIME_NOT_RECORDED
    try:
        if not isinstance(text, str):
            raise ValueError("it is not a text")
        created = datetime.fromisoformat(text)
        return created.replace(tzinfo=UTC) if created.tzinfo is None else created.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        shown = escape_for_display(str(text)[:60])
        raise ManifestError(f"The manifest {where} has no ISO 8601 time: {shown}", code="manifest-datetime") from error


def _parse_archive(archive: dict[str, Any], where: str) -> ArchiveReference:
    key = archive.get("key")
    size = _parse_size(archive.get("size"), "the archive")
    if not isinstance(key, str) or size is None:
        raise ManifestError(f"The manifest {where} does not name its archive", code="manifest-archive")
    return ArchiveReference(key, size, normalise_sha256(archive.get("sha256"), where="the archive"))


def format_dataset_manifest(manifest: DatasetManifest) -> bytes:
    """Returns the document: UTF-8 JSON, indented by two, names sorted, files sorted by path, a newline at the end.

    The same manifest gives the same bytes. The time is written as aware UTC.

    Raises: ManifestError when a file has no digest (`manifest-digest`) or the metadata are nested too deeply.
    """
    document: dict[str, Any] = {
        **manifest.extra,
        "datetime": manifest.created.astimezone(UTC).isoformat(),
    }
    if manifest.dataset:
        document["dataset"] = dict(manifest.dataset)
    if manifest.archive is not None:
        archive = manifest.archive
        document["archive"] = {"key": archive.key, "size": archive.size, "sha256": archive.digest}
    return format_document(document, [_format_entry(entry, manifest.file_extra) for entry in manifest.inventory])


def _format_entry(entry: Entry, file_extra: Mapping[str, Mapping[str, Any]]) -> str:
    path, size, digest = entry
    checked = normalise_sha256(digest, where=path)
    if path not in file_extra and size is not None:
        # By hand in a quarter of the time: there may be a million of them.
        return f'{{\n      "file": {format_text(path)},\n      "sha256": "{checked}",\n      "size": {size}\n    }}'
    written = {**file_extra.get(path, {}), "file": path, "sha256": checked}
    if size is not None:
        written["size"] = size
    return format_value(written, depth=2)


def manifest_time() -> datetime:
    """Returns the time for a new manifest: now in UTC, or `SOURCE_DATE_EPOCH` (seconds since 1970) when that is set.

    Raises: ConfigurationError when `SOURCE_DATE_EPOCH` is not a whole number of seconds between 1970 and 9999.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return datetime.fromtimestamp(int(time.time()), UTC)
    try:
        if not (text.isascii() and text.isdigit()):
            raise ValueError(text)
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigurationError(
            f"SOURCE_DATE_EPOCH is not a number of seconds since 1970: {escape_for_display(text[:40])}",
            hint="Set it to a whole number such as 1700000000, or unset it.",
            code="source-date-epoch",
        ) from error
