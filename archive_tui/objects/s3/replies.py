"""The small documents of uploads in parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from html import escape, unescape

from archive_tui.objects.s3.connection import Payload

_UPLOAD_ID = re.compile(rb"<UploadId>\s*([^<\s]{1,2048})\s*</UploadId>")
_ETAG = re.compile(rb"<ETag>\s*([^<]{1,200}?)\s*</ETag>")

Part = tuple[int, str, tuple[str, str] | None]
"""Number, entity tag, and the checksum that was sent with it: its element in the document, and its value."""


def parse_upload_id(body: bytes) -> str | None:
    found = _UPLOAD_ID.search(body)
    return unescape(found.group(1).decode()) if found else None


def parse_etag(body: bytes) -> str | None:
    found = _ETAG.search(body)
    return plain_etag(unescape(found.group(1).decode())) if found else None


def plain_etag(text: str | None) -> str | None:
    """Entity tags are compared without their quotes: listings and headers do not agree on them."""
    return text.strip().strip('"') or None if text else None


def completion_document(parts: Sequence[Part]) -> Payload:
    """Returns the body of CompleteMultipartUpload; the parts in order of their numbers."""
    lines = ['<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">']
    for number, etag, checksum in sorted(parts):
        told = f"<{checksum[0]}>{checksum[1]}</{checksum[0]}>" if checksum else ""
        lines.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag>{told}</Part>")
    lines.append("</CompleteMultipartUpload>")
    body = "".join(lines).encode()
    return Payload((body,), len(body), hashlib.sha256(body).hexdigest())
