"""Which dialect a manifest is written in: settled once, for the whole file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from archive_tui.errors import ManifestError
from archive_tui.manifests.checksum_lines.csv_lines import is_csv_header
from archive_tui.manifests.checksum_lines.digest_reasons import BYTE_ORDER_MARK
from archive_tui.manifests.checksum_lines.document import ManifestDocument
from archive_tui.manifests.checksum_lines.gnu_lines import GnuLines
from archive_tui.manifests.checksum_lines.line import Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.line_blocks import LONGEST_LINE, read_line_blocks
from archive_tui.manifests.checksum_lines.quoted_lines import find_quoted_names, is_quoted_line, parse_quoted_blocks
from archive_tui.names.display import escape_for_display

_JSON_START = re.compile(rb'(?:\xef\xbb\xbf)?[ \t\r\n]*(?:\{[ \t\r\n]*["}]|\[[ \t\r\n]*[{"\]])')
_QUOTED_LINE = re.compile(rb'^[0-9A-Fa-f]{64}(?:\t|  )"[^\n]*"\r?\n', re.MULTILINE)
_MAYBE_LINE = re.compile(rb"^[ \t]*\\?(?:[0-9A-Fa-f]{64}[ \t]|SHA256)[^\n]*", re.MULTILINE)


def detect_dialect(document: ManifestDocument, root: Path) -> Dialect:
    """Returns the dialect; what is none of the others is read as lines of sha256sum.

    Names in double quotes are QUOTED when every name of the file stands in them. They are SHA256SUM, with the quotes as
    a part, when the files of such names are there, below `root`, and no others.

    Raises: SourceUnreadable; ManifestError with code `manifest-dialect-unclear` when files of both readings are there.
    """
    start = document.read(0, LONGEST_LINE)
    if _JSON_START.match(start):
        return Dialect.JSON
    if is_csv_header(start[: start.find(b"\n") + 1] or start):
        return Dialect.CSV
    first = _find_unquoted_line(document)
    if first is not None:
        return first
    return _settle_by_files(document, root)


def _find_unquoted_line(document: ManifestDocument) -> Dialect | None:
    """Returns the dialect of the first line whose name does not stand in quotes; None: all do, and there is one."""
    quoted = False
    for number, text, too_long in read_line_blocks(document):
        if too_long:
            continue
        if number == 1:
            text = text.removeprefix(BYTE_ORDER_MARK)
        if len(_QUOTED_LINE.findall(text)) == text.count(b"\n"):
            quoted = True
            continue
        for line in _MAYBE_LINE.findall(text):
            if is_quoted_line(line):
                quoted = True
            elif isinstance(GnuLines().parse_line(1, line), ManifestLine):
                return Dialect.BSD if line.lstrip(b" \t\\").startswith(b"SHA256") else Dialect.SHA256SUM
    return None if quoted else Dialect.SHA256SUM


def _settle_by_files(document: ManifestDocument, root: Path) -> Dialect:
    literal = next(_find_literal_files(document, root), None)
    if literal is None:
        return Dialect.QUOTED
    unquoted = next(_find_unquoted_files(document, root), None)
    if unquoted is None:
        return Dialect.SHA256SUM
    raise ManifestError(
        f"The names in {escape_for_display(document.where)} stand in double quotes, and both readings lead to files: "
        f"{escape_for_display(unquoted)} and {escape_for_display(literal)}",
        hint="Say which is meant: --format quoted (the quotes are no part of the names) or --format sha256sum.",
        code="manifest-dialect-unclear",
    )


def _find_literal_files(document: ManifestDocument, root: Path) -> Iterator[str]:
    """Yields the names with quotes in them that are there."""
    if not _may_hold_quotes(root):
        return
    for _number, text, _too_long in read_line_blocks(document):
        for name in map(os.fsdecode, find_quoted_names(text)):
            if "\0" not in name and os.path.lexists(root / name):
                yield name


def _may_hold_quotes(root: Path) -> bool:
    """False spares a look for each name: no entry of `root` begins with a quote."""
    try:
        with os.scandir(root) as entries:
            return any(entry.name.startswith('"') for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _find_unquoted_files(document: ManifestDocument, root: Path) -> Iterator[str]:
    lines = parse_quoted_blocks(read_line_blocks(document))
    for line in (line for batch in lines for line in batch):
        if isinstance(line, ManifestLine) and os.path.lexists(root / line.name):
            yield line.name
