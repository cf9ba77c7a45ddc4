"""The header `Range` of a request (RFC 9110, section 14): one range of bytes; anything else is answered with all."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class UnsatisfiableRange(ValueError):
    """The range begins behind the end."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`length` bytes from `offset` on."""

    offset: int
    length: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.offset}-{self.offset + self.length - 1}/{size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Returns the range that is asked for; None when it is all of it.

    Raises: UnsatisfiableRange.
    """
    found = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise UnsatisfiableRange
        return ByteRange(size - length, length)
    begin = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < begin:
        return None
    if begin >= size:
        raise UnsatisfiableRange
    return ByteRange(begin, end - begin + 1)
