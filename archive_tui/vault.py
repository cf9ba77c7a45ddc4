"""Checksum manifests and the vault, for Python: list files, check them, archive and fetch them by their content."""

from __future__ import annotations

from archive_tui.archives.vault.outcomes import LineResult, Outcome, Tally
from archive_tui.archives.vault.vault import Vault, open_vault
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect, ManifestLine

__all__ = ["BadLine", "Dialect", "LineResult", "ManifestLine", "Outcome", "Tally", "Vault", "open_vault"]
