r"""Lines as `sha256sum --check` of coreutils 9.1 takes them, GNU and BSD forms mixed.

    HEX  name · HEX *name         blanks before HEX, a tab for the first blank behind it; all else is the name
    HEX name                      what BSD's `sha256 -r` writes: one blank, and only the first such line decides: from
                                  then on everything behind one blank is the name, or this form is no line
    SHA256 (name) = HEX           the last `)` ends the name; one blank before `(`, any around `=`, or none
    \…                            before HEX or SHA256: in the name stand `\\`, `\n`, `\r`, and no other escape

A line that begins with `#` and an empty one are passed over. One CR before the LF is no part of a line.

Where this differs, for safety: a line with a NUL (coreutils ends the name there, and checks another file than the
line names), an empty name in the BSD form, and a line longer than LONGEST_LINE are bad lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import count

from archive_tui.manifests.checksum_lines.digest_reasons import explain_no_digest
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.manifests.checksum_lines.line_blocks import TOO_LONG, LineBlock
from archive_tui.manifests.checksum_lines.line_making import Batch, make_lines

_HEX = rb"([0-9A-Fa-f]{64})"
_TAGGED = re.compile(rb"SHA256 ?\((.*)\)[ \t]*=[ \t]*" + _HEX, re.DOTALL)
_PLAIN = re.compile(_HEX + rb"[ \t](.+)", re.DOTALL)
_INDENT = re.compile(rb"[ \t]*(\\?)")
_ESCAPE = re.compile(rb"\\(.?)", re.DOTALL)
_MEANINGS = {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}

# The lines of a block that need no thought; the last group has what does. One for each state of the file.
_STANDARD_BLOCK = re.compile(_HEX + rb"[ \t][ *]([^\n\r\0]+)\n|([^\n]*)\n")
_REVERSED_BLOCK = re.compile(_HEX + rb"[ \t]([^\n\r\0]+)\n|([^\n]*)\n")
_TAGGED_LINE = re.compile(rb"^SHA256 \(([^\n\r\0]+)\) = " + _HEX + rb"\r?\n", re.MULTILINE)


class BadText(Exception):
    """Why a line is none."""


def unescape_name(name: bytes) -> bytes:
    r"""Returns the name with `\\`, `\n` and `\r` replaced.

    Raises: BadText.
    """
    return _ESCAPE.sub(_replace_escape, name)


def _replace_escape(match: re.Match[bytes]) -> bytes:
    try:
        return _MEANINGS[match[1]]
    except KeyError:
        raise BadText("it holds a backslash that begins no escape") from None


def refuse_standard_input(batches: Iterable[Batch]) -> Iterator[Batch]:
    """For a manifest that came from standard input: there is none left for the name `-`, so its lines are bad."""
    for batch in batches:
        yield [
            BadLine(line.number, "it names standard input, where the manifest came from") if _is_dash(line) else line
            for line in batch
        ]


def _is_dash(line: ManifestLine | BadLine) -> bool:
    return isinstance(line, ManifestLine) and line.name == "-"


class GnuLines:
    """One pass over a document; it remembers which of the two forms with a digest in front the file has."""

    def __init__(self) -> None:
        self._reversed: bool | None = None

    def parse_blocks(self, blocks: Iterable[LineBlock]) -> Iterator[Batch]:
        for number, text, too_long in blocks:
            if too_long:
                yield [] if text.startswith(b"#") else [BadLine(number, TOO_LONG)]
            else:
                yield self._parse_block(number, text)

    def _parse_block(self, number: int, text: bytes) -> Batch:
        if text.startswith(b"SHA256 ("):
            found = _TAGGED_LINE.findall(text)
            if len(found) == text.count(b"\n"):
                names, digests = zip(*found, strict=True)
                return make_lines(number, names, digests)
        if self._reversed is None:
            return self._parse_each(number, text.split(b"\n")[:-1])
        pattern = _REVERSED_BLOCK if self._reversed else _STANDARD_BLOCK
        pieces = pattern.findall(text)
        digests, names, _others = zip(*pieces, strict=True)
        if all(digests):
            return make_lines(number, names, digests)
        return self._parse_mixed(number, pieces)

    def _parse_mixed(self, number: int, pieces: list[tuple[bytes, bytes, bytes]]) -> Batch:
        batch: Batch = []
        for line_number, (digest, name, other) in zip(count(number), pieces, strict=False):
            if digest:
                batch.append(ManifestLine(line_number, os.fsdecode(name), digest.decode().lower()))
            elif (line := self.parse_line(line_number, other)) is not None:
                batch.append(line)
        return batch

    def _parse_each(self, number: int, lines: list[bytes]) -> Batch:
        parsed = map(self.parse_line, count(number), lines)
        return [line for line in parsed if line is not None]

    def parse_line(self, number: int, line: bytes) -> ManifestLine | BadLine | None:
        """Returns the line (without its LF), or None when it is one that says nothing."""
        if line.startswith(b"#"):
            return None
        line = line.removesuffix(b"\r")
        if not line:
            return None
        try:
            name, digest = self._split(line)
        except BadText as bad:
            return BadLine(number, str(bad))
        return ManifestLine(number, os.fsdecode(name), digest.decode().lower())

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        indent = _INDENT.match(line)
        assert indent is not None  # it matches nothing, too
        start, escaped = indent.end(), bool(indent[1])
        if line.startswith(b"SHA256", start):
            match = _TAGGED.fullmatch(line, start)
            if match is None:
                raise BadText(explain_no_digest(line[start:]))
            name, digest = match[1], match[2]
        else:
            match = _PLAIN.fullmatch(line, start)
            if match is None:
                raise BadText(explain_no_digest(line[start:]))
            digest, name = match[1], self._strip_type(match[2])
        if escaped:
            name = unescape_name(name)
        if b"\0" in line:
            raise BadText("it holds a NUL")
        if not name:
            raise BadText("it has no name")
        return name, digest

    def _strip_type(self, behind: bytes) -> bytes:
        """`behind` is what stands behind the one blank that ends a digest."""
        if len(behind) == 1 or behind[:1] not in (b" ", b"*"):
            if self._reversed is False:
                raise BadText("between digest and name stands one blank, other lines have two characters")
            self._reversed = True
        elif not self._reversed:
            self._reversed = False
            return behind[1:]
        return behind
