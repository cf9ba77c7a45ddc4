"""What the pages share, taken from the app: so that none of them has to know more of it than this."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.storages import Storage, open_storage
from archive_tui.archives.vault.evidence_book import EvidenceKeeper as VaultEvidenceKeeper
from archive_tui.integrity.evidence import Evidence
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.kinds import EvidenceKeeper
from archive_tui.settings import Settings
from archive_tui.tui.background import BackgroundPool

if TYPE_CHECKING:
    from archive_tui.tui.screens.publish.draft import PublishDraft


class NoEvidence:
    """Where no state database is used."""

    def record(self, evidence: Evidence, /) -> object:
        return False


@dataclass
class Services:
    """`drafts` are the publish guides that were left, by source and target; they live as long as the program.
    `vault_evidence` None: nothing is known of the contents of any vault, and nothing is kept."""

    settings: Settings
    engine: JobEngine
    evidence: EvidenceKeeper
    background: BackgroundPool
    drafts: dict[tuple[str, ...], PublishDraft] = field(default_factory=dict)
    vault_evidence: VaultEvidenceKeeper | None = None
    _storages: dict[str, Storage] = field(default_factory=dict)

    def storage(self, name: str) -> Storage:
        """The storage of that name, opened once.

        Raises: ConfigurationError.
        """
        if name not in self._storages:
            self._storages[name] = open_storage(self.settings, name)
        return self._storages[name]

    def exists(self, path: Path) -> bool:
        """Whether something lies there, be it a broken link."""
        return path.exists() or path.is_symlink()
