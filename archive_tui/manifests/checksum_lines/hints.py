"""What is odd about a manifest as a whole, in a sentence for people who wonder why its lines do not fit."""

from __future__ import annotations

import re

from archive_tui.manifests.checksum_lines.digest_reasons import BYTE_ORDER_MARK
from archive_tui.manifests.checksum_lines.quoted_lines import is_quoted_line

_BETWEEN_COLUMNS = re.compile(rb"[,;\t\"]+")

EMPTY = "It is empty."
UTF_16 = "It is UTF-16; save it as UTF-8."
BINARY = "It is binary data, not text."
MARKED = "It begins with a byte order mark; save it as UTF-8 without one."
LONE_CR = "Its lines end with CR alone; save it with LF at the ends of lines."
HEADER = "Its first line looks like the header of a table, which has to be File,SHA256,Vault."
QUOTES = (
    "Not every name stands in double quotes, so they are read as parts of names; --format quoted reads them without."
)


def find_hint(start: bytes) -> str:
    """`start` is the beginning of a document that is read as lines of sha256sum. Empty: nothing odd."""
    if not start:
        return EMPTY
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_like_utf_16(start):
        return UTF_16
    if b"\0" in start[:4096]:
        return BINARY
    if start.startswith(BYTE_ORDER_MARK):
        return MARKED
    if b"\r" in start and b"\n" not in start:
        return LONE_CR
    if {b"file", b"sha256"} <= set(_BETWEEN_COLUMNS.split(start.partition(b"\n")[0].strip().lower())):
        return HEADER
    return QUOTES if any(map(is_quoted_line, start.split(b"\n"))) else ""


def _looks_like_utf_16(start: bytes) -> bool:
    """Without a mark: of ASCII in UTF-16, every second byte is NUL, and no other."""
    piece = start[: min(len(start), 256) & ~1]
    even, odd = piece[::2], piece[1::2]
    return bool(piece) and ((not any(even) and all(odd)) or (all(even) and not any(odd)))
