"""Uploads in parts that nobody has completed: listed and removed, of whoever they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from archive_tui.errors import ObjectNotFound, StorageError
from archive_tui.objects.s3.connection import S3Connection
from archive_tui.objects.s3.kept_upload import parse_token, place_of
from archive_tui.objects.s3.listing import parse_time
from archive_tui.objects.unfinished import UnfinishedUpload

PAGE_UPLOADS = 1_000

_FIELD = re.compile(r"<(Key|UploadId|Initiated)>([^<]{0,8000})</")
_NEXT = re.compile(r"<Next(Key|UploadId)Marker>([^<]{0,8000})</")
_TRUNCATED = re.compile(r"<IsTruncated>\s*true\s*</IsTruncated>", re.IGNORECASE)


def list_uploads(connection: S3Connection, prefix: str) -> Iterator[UnfinishedUpload]:
    """Yields those below the store's own prefix and `prefix`, a page of the server at a time. Sizes are not told.

    Raises: StorageError (code `listing-cut`) for a page that is no page, or that does not say how to go on.
    """
    own = connection.options.prefix
    query = {"uploads": "", "prefix": own + prefix, "max-uploads": str(PAGE_UPLOADS)}
    marker: dict[str, str] = {}
    while True:
        try:
            page = connection.send("GET", query=query | marker).body.decode("utf-8", "surrogateescape")
        except ObjectNotFound:
            return  # the answer of some servers where there has never been one
        if "<ListMultipartUploadsResult" not in page[:4096]:
            raise _cut(connection)
        uploads = _parse_page(page)
        for found in uploads:
            if found.key.startswith(own + prefix) and found.token and len(found.key) > len(own):
                yield UnfinishedUpload(found.key[len(own) :], found.token, found.begun)
        if _TRUNCATED.search(page) is None:
            return
        following = _find_next(page, uploads)
        if following is None or following == marker:
            raise _cut(connection)
        marker = following


def discard_upload(connection: S3Connection, upload: UnfinishedUpload) -> None:
    """Removes the parts of one that was listed or written down; nothing where it lies in another bucket.

    Raises: StorageError, when the server does not let it go.
    """
    full_key = connection.options.prefix + upload.key
    word, _, written = upload.token.partition(" ")
    if not word or (written and parse_token(upload.token, place_of(connection), full_key) is None):
        return  # without an upload the request would remove the object
    try:
        connection.send("DELETE", full_key, query={"uploadId": word})
    except ObjectNotFound:
        return


def _parse_page(page: str) -> list[UnfinishedUpload]:
    """Keys are not asked for in URL encoding: there are servers that say so and do not do it."""
    uploads = []
    for entry in page.split("<Upload>")[1:]:
        told = {name: unescape(value) for name, value in _FIELD.findall(entry.partition("</Upload>")[0])}
        begun = parse_time(told.get("Initiated", ""))
        uploads.append(UnfinishedUpload(told.get("Key", ""), told.get("UploadId", ""), begun))
    return uploads


def _find_next(page: str, uploads: list[UnfinishedUpload]) -> dict[str, str] | None:
    """Returns what asks for the next page: as the server tells it, be it but half of what S3 would."""
    told = {name: unescape(value) for name, value in _NEXT.findall(page) if value}
    if not told and uploads:
        told = {"Key": uploads[-1].key, "UploadId": uploads[-1].token}
    markers = {"key-marker": told.get("Key"), "upload-id-marker": told.get("UploadId")}
    return {name: value for name, value in markers.items() if value} or None


def _cut(connection: S3Connection) -> StorageError:
    return StorageError(
        f"The listing of unfinished uploads of {connection.label} is incomplete",
        store=connection.label,
        hint="Repeat the command; if it stays, the server or something before it breaks listings.",
        code="listing-cut",
    )
