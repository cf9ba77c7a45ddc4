"""Tells which files are checksum manifests, by their names or by how they begin."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from archive_tui.names.manifest_names import has_manifest_name

HEAD_BYTES = 64 * 1024
_GOOD = re.compile(rb'(\\?[0-9a-f]{64}(  | \*|\t").|\\?sha256 ?\(.*\) ?= ?[0-9a-f]{64}\s*$)', re.IGNORECASE)
_CSV_HEAD = re.compile(rb'\s*"?file"?,"?sha256"?,"?vault"?\s*$', re.IGNORECASE)
_JSON_HEAD = re.compile(rb'\s*\{\s*"format"\s*:\s*"[^"]*(checksum|manifest)[^"]*"', re.IGNORECASE)
_JSON_FILES = re.compile(rb'"(path|path_bytes)"\s*:.{0,4096}?"sha256"\s*:', re.DOTALL)


def is_manifest_file(path: Path) -> bool:
    """True for a regular file that has such a name, or whose first 64 KiB are mostly lines of a checksum manifest.

    False also for what cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        if has_manifest_name(path.name):
            return True
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError):
        return False
    return begins_like_manifest(head)


def begins_like_manifest(head: bytes) -> bool:
    """True when more than half of the lines that hold anything are lines of a checksum manifest."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in head.split(b"\n") if line.strip() and not line.startswith(b"#")]
    if len(head) == HEAD_BYTES and len(lines) > 1:
        lines.pop()  # cut off in the middle
    if not lines:
        return False
    if _CSV_HEAD.match(lines[0]):
        return True
    if _JSON_HEAD.match(head):
        return _JSON_FILES.search(head) is not None
    return sum(_GOOD.match(line) is not None for line in lines) * 2 > len(lines)
