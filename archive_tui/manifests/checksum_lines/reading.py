"""Opens a checksum manifest in whatever dialect it is written, and yields its lines, as often as somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from archive_tui.errors import ManifestError
from archive_tui.manifests.checksum_lines.csv_lines import CsvLines, is_csv_header
from archive_tui.manifests.checksum_lines.detection import detect_dialect
from archive_tui.manifests.checksum_lines.document import STANDARD_INPUT, ManifestDocument
from archive_tui.manifests.checksum_lines.gnu_lines import GnuLines, refuse_standard_input
from archive_tui.manifests.checksum_lines.hints import find_hint
from archive_tui.manifests.checksum_lines.json_document import parse_json_manifest
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.line_blocks import LONGEST_LINE, READ_SIZE, count_lines, read_line_blocks
from archive_tui.manifests.checksum_lines.line_making import Batch
from archive_tui.manifests.checksum_lines.quoted_lines import parse_quoted_blocks
from archive_tui.names.display import escape_for_display

BATCH = 4096
"""Entries of JSON at a time."""


def open_manifest(path: Path | str, *, dialect: Dialect | None = None, root: Path | None = None) -> ChecksumManifest:
    """Opens a manifest; `-` is standard input. `dialect` None: found out, and settled for the whole file.

    `root` (None: the current folder) is where the names lead to; files there decide whether quotes around every name
    are a part of the names. Names are not judged here, they may lead anywhere.

    Raises: SourceNotFound, SourceUnreadable; ManifestError with code manifest-dialect-unclear, manifest-header,
    manifest-copy, and those of parse_json_manifest.
    """
    document = ManifestDocument(path)
    try:
        settled = dialect or detect_dialect(document, Path() if root is None else root)
        return ChecksumManifest(document, settled)
    except BaseException:
        document.close()
        raise


class ChecksumManifest:
    """`where` is the path as it was typed, `path` the same as a Path, `dialect` what it is read as,
    `size` its bytes when it was opened.

    Only JSON is kept in memory; the others are read from the open file with each call.
    """

    def __init__(self, document: ManifestDocument, dialect: Dialect) -> None:
        """Raises: SourceUnreadable, ManifestError. The document is closed with the manifest."""
        self._document = document
        self.where = document.where
        self.path = Path(document.where)
        self.dialect = dialect
        self.size = document.size
        self._entries = parse_json_manifest(document) if dialect is Dialect.JSON else []
        if dialect is Dialect.CSV:
            self._require_header()

    @property
    def hint(self) -> str:
        """A sentence about what is odd: why there may be no good line in it, or names that nobody meant; often empty.

        Raises: SourceUnreadable.
        """
        if self.dialect in (Dialect.SHA256SUM, Dialect.BSD):
            hint = find_hint(self._document.read(0, READ_SIZE))
            if hint:
                return hint
        first = next(iter(next(self.batches(), [])), None)
        return f"{self._line_word} {first.number}: {first.reason}." if isinstance(first, BadLine) else ""

    @property
    def _line_word(self) -> str:
        return "Entry" if self.dialect is Dialect.JSON else "Line"

    def lines(self) -> Iterator[ManifestLine | BadLine]:
        """Yields the lines in their order, from the first one, with each call anew.

        Raises: SourceUnreadable.
        """
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[Batch]:
        """Yields the same lines as `lines`, some thousand at a time; a list may be empty.

        Raises: SourceUnreadable.
        """
        if self.dialect is Dialect.JSON:
            return (self._entries[start : start + BATCH] for start in range(0, len(self._entries), BATCH))
        blocks = read_line_blocks(self._document)
        if self.dialect is Dialect.QUOTED:
            return parse_quoted_blocks(blocks)
        if self.dialect is Dialect.CSV:
            return CsvLines().parse_blocks(blocks)
        batches = GnuLines().parse_blocks(blocks)
        return refuse_standard_input(batches) if self.where == STANDARD_INPUT else batches

    def count_lines(self) -> int:
        """Returns how many lines there are: exactly of JSON, of text at least as many as `lines` yields.

        Raises: SourceUnreadable.
        """
        return len(self._entries) if self.dialect is Dialect.JSON else count_lines(self._document)

    def _require_header(self) -> None:
        start = self._document.read(0, LONGEST_LINE)
        if not is_csv_header(start[: start.find(b"\n") + 1] or start):
            raise ManifestError(
                f"The table {escape_for_display(self.where)} does not begin with its header",
                hint="The first line has to be File,SHA256,Vault.",
                code="manifest-header",
            )

    def close(self) -> None:
        """May be called twice; afterwards no line can be read."""
        self._document.close()

    def __enter__(self) -> ChecksumManifest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
