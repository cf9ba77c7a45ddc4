"""Manifests of lines, a digest and a name each, in the dialects that people have: sha256sum, BSD, quoted, CSV, JSON."""

from archive_tui.manifests.checksum_lines.line import WRITTEN_DIALECTS, BadLine, Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.reading import ChecksumManifest, open_manifest
from archive_tui.manifests.checksum_lines.writing import format_line, format_lines

__all__ = [
    "WRITTEN_DIALECTS",
    "BadLine",
    "ChecksumManifest",
    "Dialect",
    "ManifestLine",
    "format_line",
    "format_lines",
    "open_manifest",
]
