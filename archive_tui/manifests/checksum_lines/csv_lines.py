"""Tables with the header `File,SHA256,Vault`; names may hold commas, quotes and line breaks (RFC 4180).

The third column says nothing here and may be missing. A record has the number of the line on which it begins.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from archive_tui.manifests.checksum_lines.digest_reasons import explain_digest
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.manifests.checksum_lines.line_blocks import TOO_LONG, LineBlock
from archive_tui.manifests.checksum_lines.line_making import Batch, make_lines

_HEADER = re.compile(rb'(?:\xef\xbb\xbf)?("?)File\1,("?)SHA256\2(?:,("?)Vault\3)?\r?\n?')
_PLAIN_LINE = re.compile(rb"^([^\",\n\r\0]+),([0-9A-Fa-f]{64})(?:,[^\",\n\r\0]*)?\r?\n", re.MULTILINE)

_FIELD = rb'(?:"((?:[^"]++|"")*+)"|([^",\r\n]*+))'
_RECORD = re.compile(_FIELD + b"," + _FIELD + b"(?:," + _FIELD + b")?")

LONGEST_RECORD = 1 << 16
"""Bytes of a record with line breaks in it. A path has at most 4,096."""

NOT_CLOSED = "it has a quote that is not closed"


def is_csv_header(line: bytes) -> bool:
    return _HEADER.fullmatch(line) is not None


class CsvLines:
    """One pass over a table; it keeps the lines of a record that a block has cut."""

    def __init__(self) -> None:
        self._open: list[bytes] = []

    def parse_blocks(self, blocks: Iterable[LineBlock]) -> Iterator[Batch]:
        """The first line is the header, and is passed over."""
        following = 1
        for number, text, too_long in blocks:
            following = number + (1 if too_long else text.count(b"\n"))
            if too_long:
                yield [*self._parse_records(number, [], last=True), BadLine(number, TOO_LONG)]
                continue
            if number == 1:
                number, text = 2, text[text.index(b"\n") + 1 :]
            if text:
                yield self._parse_block(number, text)
        yield self._parse_records(following, [], last=True)

    def _parse_block(self, number: int, text: bytes) -> Batch:
        if not self._open:
            found = _PLAIN_LINE.findall(text)
            if len(found) == text.count(b"\n"):
                names, digests = zip(*found, strict=True)
                return make_lines(number, names, digests)
        return self._parse_records(number, text.split(b"\n")[:-1], last=False)

    def _parse_records(self, number: int, lines: list[bytes], *, last: bool) -> Batch:
        """`number` is that of the first of `lines`, which follow those that are open."""
        start = number - len(self._open)
        lines = self._open + lines
        self._open = []
        batch: Batch = []
        index = 0
        while index < len(lines):
            end = _find_end(lines, index)
            if end is None and not last and _is_short(lines[index:]):
                self._open = lines[index:]
                break
            line, taken = _parse_record(start + index, lines[index:end]) if end else (None, 1)
            if end is None:
                line = BadLine(start + index, NOT_CLOSED)
            if line is not None:
                batch.append(line)
            index += taken
        return batch


def _find_end(lines: Sequence[bytes], index: int) -> int | None:
    """Returns the place behind the record that begins at `index`: where its quotes are closed; None: nowhere."""
    if lines[index].count(b'"') % 2 == 0:
        return index + 1
    size = len(lines[index])
    for place in range(index + 1, len(lines)):
        size += len(lines[place]) + 1
        if size > LONGEST_RECORD:
            return None
        if lines[place].count(b'"') % 2:
            return place + 1
    return None


def _is_short(lines: Sequence[bytes]) -> bool:
    return sum(map(len, lines)) + len(lines) <= LONGEST_RECORD


def _parse_record(number: int, lines: Sequence[bytes]) -> tuple[ManifestLine | BadLine | None, int]:
    """Returns what the lines are, and how many of them: all, or the first one when they do not belong together."""
    record = b"\n".join(lines).removesuffix(b"\r")
    if not record:
        return None, len(lines)
    if b"\0" in record:
        return BadLine(number, "it holds a NUL"), 1
    match = _RECORD.fullmatch(record)
    if match is None:
        return BadLine(number, "it is not a record of File, SHA256 and Vault"), 1
    quoted, plain, quoted_digest, plain_digest = match.group(1, 2, 3, 4)
    name = quoted.replace(b'""', b'"') if quoted is not None else plain
    digest = (plain_digest if quoted_digest is None else quoted_digest).strip(b" \t").decode("ascii", "replace")
    reason = explain_digest(digest) or ("it has no name" if not name else None)
    if reason is not None:
        return BadLine(number, reason), len(lines)
    return ManifestLine(number, os.fsdecode(name), digest.lower()), len(lines)
