"""Small documents that a later run reads again: one that is not whole, or not what was written, counts as none."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_DIGEST_LENGTH = 64


def seal_document(document: dict[str, Any]) -> bytes:
    """Returns the document, which JSON can hold, with its own digest before it."""
    text = json.dumps(document, sort_keys=True).encode("ascii")
    return hashlib.sha256(text).hexdigest().encode("ascii") + text


def open_sealed(content: bytes | None) -> dict[str, Any] | None:
    """Returns the document; None when there is none, or a byte of it is another. Never raises."""
    if (
        content is None
        or hashlib.sha256(content[_DIGEST_LENGTH:]).hexdigest().encode("ascii") != content[:_DIGEST_LENGTH]
    ):
        return None
    try:
        document = json.loads(content[_DIGEST_LENGTH:])
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
