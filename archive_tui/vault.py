"""Checksum manifests and the vault, for Python: list files, check them, archive and fetch them by their content.

Each run over a manifest yields its results in the order of the lines and holds only a window of them.
"""

from __future__ import annotations

from archive_tui.archives.vault.archive_target import ArchiveTarget, open_archive_target
from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.asking import ask_vault
from archive_tui.archives.vault.fetching import fetch_manifest
from archive_tui.archives.vault.looking import Look, look_at
from archive_tui.archives.vault.outcomes import LineResult, Outcome, Tally
from archive_tui.archives.vault.vault import Vault, open_vault
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.reading import ChecksumManifest, open_manifest
from archive_tui.manifests.checksum_lines.writing import format_lines
from archive_tui.names.content_address import content_key, digest_of_key
from archive_tui.operations.manifest_checking import CheckedLine, LineState, check_lines, check_manifest
from archive_tui.operations.manifest_creation import CreatedManifest, create_manifest
from archive_tui.operations.named_files import find_named_files

__all__ = [
    "ArchiveTarget",
    "BadLine",
    "CheckedLine",
    "ChecksumManifest",
    "CreatedManifest",
    "Dialect",
    "LineResult",
    "LineState",
    "Look",
    "ManifestLine",
    "Outcome",
    "Tally",
    "Vault",
    "archive_manifest",
    "ask_vault",
    "check_lines",
    "check_manifest",
    "content_key",
    "create_manifest",
    "digest_of_key",
    "fetch_manifest",
    "find_named_files",
    "format_lines",
    "look_at",
    "open_archive_target",
    "open_manifest",
    "open_vault",
]
