"""Which keys an object store takes: what survives on a file system, in S3 and in Azure alike."""

from __future__ import annotations

import re

from archive_tui.errors import InvalidName

LONGEST_KEY = 900
"""Bytes of UTF-8. S3 and Azure take 1,024; the rest is left for a configured prefix."""

LONGEST_SEGMENT = 255
"""Bytes of UTF-8 between two `/`; the limit of Linux file systems."""

TEMPORARY_PREFIX = ".archive-tui-"
TEMPORARY_SUFFIX = ".part"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""All of Unicode's category Cc, to which none is ever added."""


def is_temporary_name(name: str) -> bool:
    """True for the last segment of what a running or killed write has left; never listed."""
    return name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)


def check_key(key: str) -> str:
    """Returns `key` as it is.

    Raises: InvalidName, with the rule as its code: key-empty, key-absolute, key-segment, key-control, key-encoding,
    key-too-long, key-temporary.
    """

    def refuse(rule: str, why: str) -> InvalidName:
        return InvalidName(f"Key refused, {why}: {key[:200]!r}", name=key, code=rule)

    if not key:
        raise refuse("key-empty", "it is empty")
    if key.startswith("/"):
        raise refuse("key-absolute", "it begins with /")
    try:
        encoded = key.encode()
    except UnicodeEncodeError as error:
        raise refuse("key-encoding", "it is not valid Unicode") from error
    if len(encoded) > LONGEST_KEY:
        raise refuse("key-too-long", f"it has {len(encoded)} bytes, more than {LONGEST_KEY}")
    if _CONTROL.search(key):
        raise refuse("key-control", "it holds control characters")
    for segment in key.split("/"):
        if segment in ("", ".", ".."):
            raise refuse("key-segment", f"it has the segment {segment!r}")
        if len(segment.encode()) > LONGEST_SEGMENT:
            raise refuse("key-too-long", f"a segment has more than {LONGEST_SEGMENT} bytes")
        if is_temporary_name(segment):
            raise refuse("key-temporary", "the name is reserved for unfinished writes")
    return key
