"""Many lines at once, for files of millions."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import count, repeat

from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine

Batch = list[ManifestLine | BadLine]

_make_line = partial(tuple.__new__, ManifestLine)


def make_lines(number: int, names: Sequence[bytes], digests: Sequence[bytes]) -> Batch:
    """Returns one line for each name, numbered from `number`. No name holds an LF, each digest is one."""
    texts = decode_names(names)
    lowered = b"\n".join(digests).decode("ascii").lower().split("\n")
    fields = zip(count(number), texts, lowered, repeat(None), strict=False)
    return list(map(_make_line, fields))


def decode_names(names: Sequence[bytes]) -> list[str]:
    """As os.fsdecode, for names without an LF, a hundred thousand at once."""
    joined = b"\n".join(names)
    if joined.isascii():
        return joined.decode("ascii").split("\n")
    if sys.getfilesystemencoding() == "utf-8":
        return os.fsdecode(joined).split("\n")
    return [os.fsdecode(name) for name in names]
