"""Why a line has no SHA-256: what stands there instead, in words."""

from __future__ import annotations

import re

_BY_LENGTH = {8: "a CRC-32", 32: "an MD5", 40: "a SHA-1", 56: "a SHA-224", 96: "a SHA-384", 128: "a SHA-512"}
_TAG = re.compile(rb"(MD5|SHA1|SHA224|SHA384|SHA512|SHA3-\d+|BLAKE2[bs]?(?:-\d+)?|RMD160|SM3) ?\(")
_FIRST_WORD = re.compile(rb"[ \t]*\\?([0-9A-Fa-f]{8,})(?![0-9A-Za-z])")

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

NO_FORM = "it is not a SHA-256 digest and a name"


def explain_no_digest(line: bytes) -> str:
    """Returns why a line that should begin with a digest, or with `SHA256 (`, is none; a part of a sentence."""
    if line.startswith(BYTE_ORDER_MARK):
        return "a byte order mark stands before it"
    if b"\0" in line:
        return "it holds a NUL"
    tag = _TAG.match(line)
    if tag is not None:
        return f"it has a digest of {tag[1].decode()}, not of SHA-256"
    word = _FIRST_WORD.match(line)
    if word is not None:
        return explain_digest(word[1].decode()) or "no name follows the digest"
    return NO_FORM


def explain_digest(text: str) -> str | None:
    """Returns what is wrong with a digest, or None: it is one of SHA-256."""
    digits = len(text)
    if re.fullmatch("[0-9A-Fa-f]*", text, re.ASCII) is None or not text:
        return "its digest is not made of hexadecimal digits"
    if digits in _BY_LENGTH:
        return f"its digest is {_BY_LENGTH[digits]} by its length, not a SHA-256"
    return None if digits == 64 else f"its digest has {digits} digits instead of 64"
