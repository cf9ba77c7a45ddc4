"""Text cut into blocks of whole lines, in bounded memory, however long a line is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archive_tui.manifests.checksum_lines.document import ManifestDocument

LONGEST_LINE = 1 << 20
"""Bytes. A path has at most 4,096; what is longer than this is no line of a manifest, and is not taken into memory."""

READ_SIZE = 1 << 17
"""Bytes; not above LONGEST_LINE, so that only the first line of a block can be too long."""

TOO_LONG = f"it is longer than {LONGEST_LINE >> 20} MiB"


class LineBlock(NamedTuple):
    """`text` is whole lines, each with its LF (the last of the document gets one), the first of them is `number`.

    `too_long`: one line that is longer than LONGEST_LINE; `text` is only its beginning, without an LF.
    """

    number: int
    text: bytes
    too_long: bool = False


def read_line_blocks(document: ManifestDocument) -> Iterator[LineBlock]:
    """Yields the document from its beginning to the end that it has when it is reached.

    Raises: SourceUnreadable.
    """
    number, rest, offset = 1, b"", 0
    while read := document.read(offset, READ_SIZE):
        offset += len(read)
        end = read.rfind(b"\n") + 1
        if end == 0:
            rest += read
            if len(rest) > LONGEST_LINE:
                yield LineBlock(number, rest[:READ_SIZE], too_long=True)
                number, rest, offset = number + 1, b"", _find_next_line(document, offset)
            continue
        text, rest = rest + read[:end], read[end:]
        first = text.index(b"\n") + 1
        if first > LONGEST_LINE + 1:
            yield LineBlock(number, text[:READ_SIZE], too_long=True)
            number, text = number + 1, text[first:]
        if text:
            yield LineBlock(number, text)
            number += text.count(b"\n")
    if rest:
        yield LineBlock(number, rest + b"\n")


def _find_next_line(document: ManifestDocument, offset: int) -> int:
    """Returns the place behind the next LF, or the end."""
    while read := document.read(offset, READ_SIZE):
        place = read.find(b"\n") + 1
        if place:
            return offset + place
        offset += len(read)
    return offset


def count_lines(document: ManifestDocument) -> int:
    """Returns how many lines there are, empty ones and comments among them.

    Raises: SourceUnreadable.
    """
    lines, offset, last = 0, 0, b"\n"
    while read := document.read(offset, LONGEST_LINE):
        lines += read.count(b"\n")
        offset += len(read)
        last = read[-1:]
    return lines + (last != b"\n")
