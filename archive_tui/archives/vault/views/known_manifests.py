"""Which manifests were used with which vault, as the state database remembers it: they give contents their names."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.vault.vault import Vault
from archive_tui.state.database import StateDatabase
from archive_tui.state.evidence_table import EvidenceTable

MOST_KEPT = 500
"""Manifests that are remembered; the one that was not used for the longest time goes first."""

_KEEP = "INSERT OR REPLACE INTO known_manifest (path, store, prefix, lines, used_at) VALUES (?, ?, ?, ?, ?)"
_TRIM = """DELETE FROM known_manifest WHERE (path, store, prefix) NOT IN
    (SELECT path, store, prefix FROM known_manifest ORDER BY used_at DESC LIMIT ?)"""
_OF_VAULT = "SELECT path, lines, used_at FROM known_manifest WHERE store = ? AND prefix = ? ORDER BY used_at DESC, path"


@dataclass(frozen=True, slots=True)
class KnownManifest:
    """`lines` is how many it had when it was used, at `used_at`, seconds since the epoch."""

    path: Path
    lines: int
    used_at: float


class KnownManifests:
    def __init__(self, database: StateDatabase) -> None:
        self.database = database

    def remember(self, path: Path | str, vault: Vault, lines: int) -> bool:
        """Keeps that the manifest at `path` was used with this vault, now. Returns True when it is kept: standard
        input, and what is no file, is not; `database.remarks` says what else went wrong."""
        file = Path(path).absolute()
        if str(path) == "-" or not file.is_file():
            return False
        file = file.parent.resolve() / file.name
        row = (os.fsencode(file), vault.store.identity, vault.prefix, max(0, lines), time.time())

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(_KEEP, row)
            connection.execute(_TRIM, (MOST_KEPT,))

        try:
            return self.database.write(insert)
        except UnicodeEncodeError:
            return False  # a store whose name is no text cannot be written down

    def of_vault(self, store_identity: str, prefix: str) -> list[KnownManifest]:
        """Returns the manifests that were used with that vault, the last one first."""
        try:
            rows: list[tuple[bytes, int, float]] = self.database.read(
                lambda connection: connection.execute(_OF_VAULT, (store_identity, prefix)).fetchall(), default=[]
            )
        except UnicodeEncodeError:
            return []
        return [KnownManifest(Path(os.fsdecode(path)), lines, used_at) for path, lines, used_at in rows]


def open_known_manifests(evidence: object) -> KnownManifests | None:
    """Those in the database of an evidence table; None where none is used."""
    return KnownManifests(evidence.database) if isinstance(evidence, EvidenceTable) else None
