"""Digests are SHA-256, written as 64 lower-case hexadecimal digits (FIPS 180-4)."""

from __future__ import annotations

import hashlib
import re
from typing import TypeGuard

from archive_tui.errors import ManifestError

DIGEST_OF_NOTHING = hashlib.sha256(b"").hexdigest()

_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def is_sha256_hex(text: object) -> TypeGuard[str]:
    return isinstance(text, str) and _SHA256_HEX.fullmatch(text) is not None


def normalise_sha256(text: object, *, where: str = "") -> str:
    """Returns the digest in lower case.

    Raises: ManifestError when `text` is not a SHA-256 in hexadecimal digits; `where` is named in its message.
    """
    if not is_sha256_hex(text):
        place = f" for {where}" if where else ""
        raise ManifestError(f"Not a SHA-256 digest{place}: {str(text)[:80]!r}", code="manifest-digest")
    return text.lower()


def sha256_of_bytes(data: bytes | bytearray | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()
