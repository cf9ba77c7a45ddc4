"""What the headers of a reply say about an object. Poor servers leave some out or write what nobody can read."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from calendar import timegm
from email.utils import parsedate_tz

from archive_tui.errors import StorageError
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.objects.s3.connection import Reply
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.objects.s3.write import DIGEST_HEADER

_IN_PARTS = re.compile(r"[0-9a-f]{32}-\d{1,5}")


def describe_object(key: str, reply: Reply, *, label: str, trusts_digest: bool) -> ObjectInfo:
    """Reads the reply to a HEAD; `trusts_digest`: the server is known to compute the digests that it tells.

    Raises: StorageError (code `reply-unreadable`) when it does not say how long the object is.
    """
    headers = reply.headers
    version = plain_etag(headers.get("etag"))
    told = _full_object_digest(headers.get("x-amz-checksum-sha256"))
    if headers.get("x-amz-checksum-type") == "COMPOSITE" or (version is not None and _IN_PARTS.fullmatch(version)):
        told = None  # over the digests of parts: there is no SHA-256 over the whole of such an object
    recorded = headers.get(DIGEST_HEADER)
    if not is_sha256_hex(recorded):
        recorded = None
    attested = told if trusts_digest else None
    digest = attested or recorded or told
    size = _read_length(headers.get("content-length"), key, label)
    return ObjectInfo(key, size, _read_time(headers.get("last-modified")), version, digest, attested is not None)


def _read_length(text: str | None, key: str, label: str) -> int:
    if text is not None and text.isascii() and text.isdecimal():
        return int(text)
    raise StorageError(
        f"{label} does not say how long the object is: {key}",
        key=key,
        store=label,
        hint="Nothing can be said about this object. Try: archive-tui storage test NAME",
        code="reply-unreadable",
    )


def _read_time(text: str | None) -> float | None:
    found = parsedate_tz(text) if text else None
    if found is None:
        return None
    try:
        return float(timegm((*found[:6], 0, 1, 0)) - (found[9] or 0))
    except (ValueError, OverflowError):
        return None


def _full_object_digest(checksum: str | None) -> str | None:
    """A digest over the digests of parts (it ends in `-N`) is not the digest of the object."""
    if not checksum or "-" in checksum:
        return None
    try:
        raw = b64decode(checksum, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 32 else None
