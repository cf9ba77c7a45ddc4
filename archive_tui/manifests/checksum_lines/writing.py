"""Writes manifests, line by line, in any dialect that is written."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, repeat

from archive_tui.errors import ConfigurationError
from archive_tui.manifests.checksum_lines.json_document import FORMAT
from archive_tui.manifests.checksum_lines.line import WRITTEN_DIALECTS, Dialect, ManifestLine
from archive_tui.manifests.dataset_manifest import manifest_time
from archive_tui.manifests.manifest_document import format_text

_TO_ESCAPE = re.compile(rb"[\\\n\r]")
_TO_ESCAPE_IN_QUOTES = re.compile(rb'["\\\n\r]')
_PARTS = {
    Dialect.QUOTED: ("", '  "', '"\n'),
    Dialect.SHA256SUM: ("", "  ", "\n"),
    Dialect.BSD: ("SHA256 (", ") = ", "\n"),
}
"""What stands before, between and behind digest and name."""

_DIGEST_BYTES = 32
_ESCAPES = {b'"': b'\\"', b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}


def format_lines(
    dialect: Dialect, lines: Iterable[ManifestLine], *, created: datetime | None = None
) -> Iterator[bytes]:
    """Yields the document in pieces; only JSON writes sizes, and when it was `created` (None: now).

    What is read back are the same names, digests and sizes. Names are not judged; none is empty or holds a NUL.

    Raises: ConfigurationError when the dialect is only read.
    """
    if dialect not in WRITTEN_DIALECTS:
        raise _not_written(dialect)
    if dialect is Dialect.JSON:
        return _format_json(lines, created or manifest_time())
    return (format_line(dialect, line.name, line.digest) for line in lines)


def format_line(dialect: Dialect, name: str, digest: str) -> bytes:
    """Returns one line with its LF, as `sha256sum`, as `sha256sum --tag`, or with the name in double quotes.

    Raises: ConfigurationError when the dialect is not written, or has no lines.
    """
    encoded = os.fsencode(name)
    if dialect is Dialect.QUOTED:
        return b'%s  "%s"\n' % (digest.encode(), _TO_ESCAPE_IN_QUOTES.sub(_escape, encoded))
    if dialect not in (Dialect.SHA256SUM, Dialect.BSD):
        raise _not_written(dialect)
    escaped = _TO_ESCAPE.sub(_escape, encoded)
    mark = b"\\" if len(escaped) > len(encoded) else b""
    if dialect is Dialect.BSD:
        return b"%sSHA256 (%s) = %s\n" % (mark, escaped, digest.encode())
    return b"%s%s  %s\n" % (mark, digest.encode(), escaped)


def format_names(dialect: Dialect, names: Sequence[str], digests: bytes | bytearray) -> bytes:
    """Returns what `format_line` does for each of `names`, in one piece; `digests` are 32 bytes each, without a gap.

    Raises: as format_line.
    """
    hexes = digests.hex("\n", _DIGEST_BYTES).split("\n")
    to_escape = _TO_ESCAPE_IN_QUOTES if dialect is Dialect.QUOTED else _TO_ESCAPE
    if dialect not in _PARTS or to_escape.search(os.fsencode("".join(names))):
        return b"".join(map(format_line, repeat(dialect), names, hexes))
    before, between, behind = map(repeat, _PARTS[dialect])
    first, second = (names, hexes) if dialect is Dialect.BSD else (hexes, names)
    pieces = zip(before, first, between, second, behind, strict=False)
    return os.fsencode("".join(chain.from_iterable(pieces)))


def _escape(match: re.Match[bytes]) -> bytes:
    return _ESCAPES[match[0]]


def _not_written(dialect: Dialect) -> ConfigurationError:
    return ConfigurationError(
        f"Lines are not written in the form {dialect}",
        hint=f"Forms that are written: {', '.join(WRITTEN_DIALECTS)}.",
    )


def _format_json(lines: Iterable[ManifestLine], created: datetime) -> Iterator[bytes]:
    time = created.astimezone(UTC).isoformat()
    yield f'{{\n  "format": {format_text(FORMAT)},\n  "created": {format_text(time)},\n  "files": ['.encode()
    before = b"\n    "
    for line in lines:
        yield before + _format_entry(line)
        before = b",\n    "
    yield (b"]" if before == b"\n    " else b"\n  ]") + b"\n}\n"


def _format_entry(line: ManifestLine) -> bytes:
    encoded = os.fsencode(line.name)
    try:
        path = f'"path": {format_text(encoded.decode())}'
    except UnicodeDecodeError:
        path = f'"path_bytes": "{base64.b64encode(encoded).decode()}"'
    size = "" if line.size is None else f', "size": {line.size}'
    return f'{{{path}{size}, "sha256": "{line.digest}"}}'.encode()
