"""Which parts of an unfinished upload the server has, and whether they are what would be sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape

from archive_tui.errors import StorageError, StorageUnavailable
from archive_tui.objects.s3.connection import Payload, S3Connection
from archive_tui.objects.s3.full_crc import CRC_HEADER
from archive_tui.objects.s3.pieces import MOST_PARTS
from archive_tui.objects.s3.probing import checksum_header
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.progress import StopSignal

PAGE_PARTS = 1_000

_FIELD = re.compile(r"<(PartNumber|ETag|Size|ChecksumSHA256|ChecksumCRC32)>([^<]{0,1000})</")
_TRUNCATED = re.compile(r"<IsTruncated>\s*true\s*</IsTruncated>", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_SHA256_HEADER = "x-amz-checksum-sha256"


@dataclass(frozen=True, slots=True)
class ListedPart:
    """`etag` without quotes. The checksums are in base64 as the server tells them, empty where it does not."""

    size: int
    etag: str
    sha256: str = ""
    crc32: str = ""

    def holds(self, payload: Payload, headers: Mapping[str, str]) -> bool:
        """True when it is proven to be the payload, which would be sent with these `headers`.

        By its SHA-256, else by its MD5, which is the entity tag of a part that is not encrypted with a key of its own.
        A CRC-32 alone proves nothing: one part in four thousand millions has another's.
        """
        if self.size != payload.size:
            return False
        if self.sha256:
            return self.sha256 == checksum_header(payload.digest)[_SHA256_HEADER]
        if self.crc32 and headers.get(CRC_HEADER, self.crc32) != self.crc32:
            return False
        return _MD5.fullmatch(self.etag) is not None and self.etag == _md5_of(payload)


def list_parts(
    connection: S3Connection, full_key: str, upload: str, *, stop: StopSignal
) -> dict[int, ListedPart] | None:
    """Returns the parts by number; None: there is no such upload any more, or the server does not say.

    What a careless server leaves out is only sent again.

    Raises: StorageUnavailable, OperationStopped.
    """
    found: dict[int, ListedPart] = {}
    marker = 0
    while True:
        query = {"uploadId": upload, "max-parts": str(PAGE_PARTS), "part-number-marker": str(marker)}
        try:
            body = connection.send("GET", full_key, query=query, stop=stop).body
        except StorageUnavailable:
            raise
        except StorageError:
            return None
        page = body.decode("utf-8", "replace")
        found.update(_parse_page(page))
        following = max(found, default=0)
        if _TRUNCATED.search(page) is None or following <= marker:
            return found
        marker = following


def _parse_page(page: str) -> dict[int, ListedPart]:
    parts: dict[int, ListedPart] = {}
    for entry in page.split("<Part>")[1:]:
        told = {name: unescape(value.strip()) for name, value in _FIELD.findall(entry.partition("</Part>")[0])}
        number, size = told.get("PartNumber", ""), told.get("Size", "")
        if not (_NUMBER.fullmatch(number) and _NUMBER.fullmatch(size) and 0 < int(number) <= MOST_PARTS):
            continue
        etag = plain_etag(told.get("ETag")) or ""
        parts[int(number)] = ListedPart(int(size), etag, told.get("ChecksumSHA256", ""), told.get("ChecksumCRC32", ""))
    return parts


def _md5_of(payload: Payload) -> str:
    hashed = hashlib.md5(usedforsecurity=False)
    for piece in payload.pieces:
        hashed.update(piece)
    return hashed.hexdigest()
