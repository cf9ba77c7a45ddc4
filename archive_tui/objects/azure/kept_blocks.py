"""Blocks that an earlier put has left: found again by their names, which tell what is in them.

The service shows no digest of a block, so the name has it: 16 letters of the put's nonce, the number in 8 digits, and
the first 32 of the block's SHA-256. The service has checked the content on receipt, against its MD5. Blocks that are
not committed are invisible, cannot be removed, and vanish a week after the last one was sent, or with the next commit.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from archive_tui.errors import StorageError
from archive_tui.objects.azure.listing import fetch_page
from archive_tui.objects.unfinished import UnfinishedUpload

NONCE_LETTERS = 16
_DIGEST_LETTERS = 32
_NO_DIGEST = "0" * _DIGEST_LETTERS

_TOKEN = re.compile(r"([0-9a-f]{16}) ([0-9a-f]{16})")
_NAME = re.compile(r"([0-9a-f]{16})\d{8}[0-9a-f]{32}")


def make_nonce() -> str:
    return uuid.uuid4().hex


def make_token(nonce: str) -> str:
    return f"{nonce[:NONCE_LETTERS]} {nonce[NONCE_LETTERS:]}"


def parse_token(token: str | None) -> str | None:
    """Returns the nonce; None for what is no token."""
    found = _TOKEN.fullmatch(token or "")
    return found[1] + found[2] if found else None


def name_block(nonce: str, number: int, block: bytes | None) -> str:
    """All names of the blocks of one blob must have one length, and those of two writers must differ.

    `block` None: nobody will look for it again, which spares the digest.
    """
    digest = _NO_DIGEST if block is None else hashlib.sha256(block).hexdigest()[:_DIGEST_LETTERS]
    return f"{nonce[:NONCE_LETTERS]}{number:08d}{digest}"


def find_blocks(blob: Any, nonce: str) -> dict[str, int]:
    """Returns the names and lengths of the uncommitted blocks of that put.

    Raises: errors of the SDK, to be translated.
    """
    blocks = _list_blocks(blob, "uncommitted")[1]
    return {name: size for name, size in blocks if name.startswith(nonce[:NONCE_LETTERS])}


def _list_blocks(blob: Any, kind: str) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        committed, uncommitted = blob.get_block_list(kind)
    except ResourceNotFoundError:
        return [], []
    return [(str(each.id), each.size) for each in committed], [(str(each.id), each.size) for each in uncommitted]


def list_uncommitted(client: Any, prefix: str) -> Iterator[UnfinishedUpload]:
    """Yields the puts, of whoever, whose blobs have blocks and no content yet, with their full names.

    Raises: errors of the SDK; StorageError (code `listing-incomplete`).
    """
    marker = ""
    while True:
        names, following = _parse_page(fetch_page(client, prefix, marker, recursive=True, include="uncommittedblobs"))
        for name in names:
            yield from _describe(name, client.get_blob_client(name))
        if not following:
            return
        if following == marker:
            raise StorageError(
                "The service repeats a page of its listing", hint="Try again.", code="listing-incomplete"
            )
        marker = following


def _parse_page(body: bytes) -> tuple[list[str], str]:
    """Returns the names of blobs that may have no content, and the marker of the next page.

    The service tells no version of such a blob; the emulator tells one, and that it is empty.
    """
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise StorageError("A page of the listing ends early", hint="Try again.", code="listing-incomplete") from error
    names = []
    for blob in root.iterfind("Blobs/Blob"):
        told = {each.tag: each.text or "" for each in blob.find("Properties") or ()}
        is_empty = told.get("Content-Length", "0") == "0" and not told.get("Content-MD5")
        if not told.get("Etag") or is_empty:
            names.append(blob.findtext("Name") or "")
    return names, root.findtext("NextMarker") or ""


def _describe(name: str, blob: Any) -> Iterator[UnfinishedUpload]:
    committed, uncommitted = _list_blocks(blob, "all")
    if committed:
        return
    sizes: dict[str, int] = {}
    for block, size in uncommitted:
        found = _NAME.fullmatch(block)
        nonce = found[1] if found else ""
        sizes[nonce] = sizes.get(nonce, 0) + size
    for nonce, size in sizes.items():
        yield UnfinishedUpload(name, nonce, None, size)
