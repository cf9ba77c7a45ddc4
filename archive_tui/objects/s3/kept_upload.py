"""What is written down of an upload in parts, so that another process can go on with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.objects.s3.connection import S3Connection
from archive_tui.objects.s3.pieces import MOST_BYTES_IN_FLIGHT
from archive_tui.objects.s3.write import Write


class PartChecksum(StrEnum):
    """What goes with each part, and what the server works out over them: a CRC-32 over the whole object, a digest
    over the SHA-256 of the parts, or nothing."""

    CRC32 = "crc32"
    SHA256 = "sha256"
    NONE = ""


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """`place` is endpoint and bucket. `smallest` and `size` (None: unknown) are what the source was cut by; `digest`
    is the SHA-256 that the server has recorded with it, in hex. `nonce` marks the object as written by this put."""

    upload: str
    place: str
    full_key: str
    nonce: str
    smallest: int
    size: int | None = None
    digest: str | None = None
    checksum: PartChecksum = PartChecksum.NONE

    def to_token(self) -> str:
        """The upload's own word, as a listing tells it, and after a space what else is needed."""
        return f"{self.upload} {json.dumps(asdict(self), separators=(',', ':'))}"

    def fits(self, write: Write, size: int | None) -> bool:
        """True when the put promises the same source, so that the parts may be those that it would send."""
        return (self.size, self.digest) == (size, write.digest)


def place_of(connection: S3Connection) -> str:
    return f"{connection.options.place}/{connection.options.bucket}"


def parse_token(token: str | None, place: str, full_key: str) -> KeptUpload | None:
    """Reads a token; None for what is none, and for one of another place or key, which is not ours to touch."""
    word, _, text = (token or "").partition(" ")
    try:
        found = _make_kept(json.loads(text)) if text else None
    except (ValueError, TypeError, RecursionError):
        return None
    if found is None or not word or (found.upload, found.place, found.full_key) != (word, place, full_key):
        return None
    return found


def _make_kept(values: dict[str, Any]) -> KeptUpload:
    known = {field.name: values[field.name] for field in fields(KeptUpload) if field.name in values}
    kept = KeptUpload(**{**known, "checksum": PartChecksum(known.get("checksum", ""))})
    words = (kept.upload, kept.place, kept.full_key, kept.nonce)
    numbers = (kept.smallest, 0 if kept.size is None else kept.size)
    if not all(isinstance(word, str) and word for word in words) or not all(type(count) is int for count in numbers):
        raise ValueError("not a token")
    if not 0 < kept.smallest <= MOST_BYTES_IN_FLIGHT or not (kept.digest is None or is_sha256_hex(kept.digest)):
        raise ValueError("not a token")
    return kept
