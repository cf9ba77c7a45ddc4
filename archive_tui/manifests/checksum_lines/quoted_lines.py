r"""Lines whose names stand in double quotes: `HEX  "name"`, or a tab for the two blanks.

Inside, `"` `\` LF and CR are written `\"` `\\` `\n` `\r`. Blanks may stand before the digest and one CR at the end.
Empty lines and those that begin with `#` are passed over; a byte order mark before the first line is, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import count

from archive_tui.manifests.checksum_lines.digest_reasons import BYTE_ORDER_MARK, explain_no_digest
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.manifests.checksum_lines.line_blocks import TOO_LONG, LineBlock
from archive_tui.manifests.checksum_lines.line_making import Batch, make_lines

_HEX = rb"([0-9A-Fa-f]{64})"
_PLAIN_BLOCK = re.compile(_HEX + rb"(?:\t|  )\"([^\"\\\n\r\0]+)\"\r?\n|([^\n]*)\n")
_LINE = re.compile(rb"[ \t]*" + _HEX + rb"(?:\t|  )(.*)", re.DOTALL)
_ANY_LINE = re.compile(rb"[ \t]*\\?" + _HEX + rb"[ \t]", re.DOTALL)
_QUOTED_NAME = re.compile(rb"^[ \t]*[0-9A-Fa-f]{64}(?:\t|  )(\"[^\n]*\")\r?$", re.MULTILINE)
_INSIDE = re.compile(rb"(?:[^\"\\]++|\\[\"\\nr])*+", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_MEANINGS = {b'"': b'"', b"\\": b"\\", b"n": b"\n", b"r": b"\r"}


def parse_quoted_blocks(blocks: Iterable[LineBlock]) -> Iterator[Batch]:
    for number, text, too_long in blocks:
        if too_long:
            yield [] if text.startswith(b"#") else [BadLine(number, TOO_LONG)]
            continue
        pieces = _PLAIN_BLOCK.findall(text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text)
        digests, names, _ = zip(*pieces, strict=True)
        yield make_lines(number, names, digests) if all(digests) else _parse_mixed(number, pieces)


def _parse_mixed(number: int, pieces: list[tuple[bytes, bytes, bytes]]) -> Batch:
    batch: Batch = []
    for line_number, (digest, name, other) in zip(count(number), pieces, strict=False):
        if digest:
            batch.append(ManifestLine(line_number, os.fsdecode(name), digest.decode().lower()))
        elif (line := _parse_line(line_number, other)) is not None:
            batch.append(line)
    return batch


def is_quoted_line(line: bytes) -> bool:
    """True: a digest and a name that stands in double quotes, with or without faults inside them."""
    match = _LINE.fullmatch(line.removesuffix(b"\r"))
    return match is not None and len(match[2]) > 1 and match[2][:1] == match[2][-1:] == b'"'


def find_quoted_names(text: bytes) -> list[bytes]:
    """Returns the names in `text`, as they stand there, with their quotes."""
    return _QUOTED_NAME.findall(text)


def _parse_line(number: int, line: bytes) -> ManifestLine | BadLine | None:
    if line.startswith(b"#"):
        return None
    line = line.removesuffix(b"\r")
    if not line:
        return None
    match = _LINE.fullmatch(line)
    if match is None:
        form = "its name does not stand in double quotes" if _ANY_LINE.match(line) else explain_no_digest(line)
        return BadLine(number, form)
    digest, name = match[1], match[2]
    fault = _find_fault(name)
    if fault is not None:
        return BadLine(number, fault)
    plain = _ESCAPE.sub(lambda escape: _MEANINGS[escape[1]], name[1:-1])
    return ManifestLine(number, os.fsdecode(plain), digest.decode().lower())


def _find_fault(name: bytes) -> str | None:
    if b"\0" in name:
        return "it holds a NUL"
    if not name.startswith(b'"'):
        return "its name does not stand in double quotes"
    if len(name) < 2 or not name.endswith(b'"'):
        return "the quotes of its name are not closed"
    if len(name) == 2:
        return "it has no name"
    if _INSIDE.fullmatch(name, 1, len(name) - 1) is None:
        return "a quote or backslash inside its quotes is not escaped"
    return None
