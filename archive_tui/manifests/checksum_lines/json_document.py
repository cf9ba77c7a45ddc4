"""A manifest as one JSON object: `format`, `created`, and `files`, each with `path`, `sha256`, perhaps `size`.

Sizes are bytes. A name that is no UTF-8 stands as `path_bytes`, in base64. A line's number is that of its entry.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator
from typing import Any

from archive_tui.errors import ManifestError
from archive_tui.manifests.checksum_lines.digest_reasons import explain_digest
from archive_tui.manifests.checksum_lines.document import STANDARD_INPUT, ManifestDocument
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.manifests.manifest_document import LARGEST_MANIFEST, parse_json_object
from archive_tui.names.display import escape_for_display

FORMAT = "archive-tui manifest"
"""What ours say in `format`; other words there are taken, too."""

LARGEST_SIZE = (1 << 63) - 1


def parse_json_manifest(document: ManifestDocument) -> list[ManifestLine | BadLine]:
    """Returns a line for each entry of `files`, in their order; an entry that is none is a bad line.

    Raises: SourceUnreadable; ManifestError with code manifest-too-large, -encoding, -json, -deep, -form, -files.
    """
    where = "from standard input" if document.where == STANDARD_INPUT else escape_for_display(document.where)
    text = document.read_whole(LARGEST_MANIFEST)
    if text is None:
        raise ManifestError(
            f"The manifest {where} is larger than {LARGEST_MANIFEST >> 20} MiB",
            hint="JSON is taken into memory as a whole; the forms with lines have no limit.",
            code="manifest-too-large",
        )
    parsed = parse_json_object(text, where=where)
    if not isinstance(parsed.get("format", ""), str):
        raise ManifestError(f"The manifest {where} has a 'format' that is no text", code="manifest-form")
    files = parsed.get("files")
    if not isinstance(files, list):
        raise ManifestError(
            f"The manifest {where} has no list 'files'",
            hint="It is perhaps a document of another program.",
            code="manifest-files",
        )
    return list(_parse_entries(files))


def _parse_entries(files: list[Any]) -> Iterator[ManifestLine | BadLine]:
    files.reverse()
    number = 0
    while files:  # each entry is let go before the next one is made: there may be a million
        number += 1
        yield _parse_entry(number, files.pop())


def _parse_entry(number: int, entry: object) -> ManifestLine | BadLine:
    if not isinstance(entry, dict):
        return BadLine(number, "it is not an object with path and sha256")
    name = _parse_name(entry)
    if isinstance(name, BadLine):
        return name._replace(number=number)
    digest, size = entry.get("sha256"), entry.get("size")
    if not isinstance(digest, str):
        return BadLine(number, "it has no text sha256")
    reason = explain_digest(digest)
    if reason is None and size is not None and (type(size) is not int or not 0 <= size <= LARGEST_SIZE):
        reason = "its size is no number of bytes"
    if reason is not None:
        return BadLine(number, reason)
    return ManifestLine(number, name, digest.lower(), size)


def _parse_name(entry: dict[str, Any]) -> str | BadLine:
    path, encoded = entry.get("path"), entry.get("path_bytes")
    if (path is None) == (encoded is None):
        reason = "it has no path" if path is None else "it has both path and path_bytes"
        hint = ": it has the form of a dataset's manifest.json" if path is None and "file" in entry else ""
        return BadLine(0, reason + hint)
    written = path if encoded is None else encoded
    if not isinstance(written, str):
        return BadLine(0, "its path is no text")
    try:
        name = written.encode() if encoded is None else base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return BadLine(0, "its path_bytes are no base64")
    if b"\0" in name:
        return BadLine(0, "it holds a NUL")
    return os.fsdecode(name) if name else BadLine(0, "it has no name")
