"""Evidence as a command keeps it: recorded for later screens and audits, and told to the command that prints it."""

from __future__ import annotations

from collections.abc import Callable

from archive_tui.integrity.evidence import Evidence
from archive_tui.state.database import StateDatabase
from archive_tui.state.evidence_table import EvidenceTable

Hear = Callable[[Evidence], object]


class HeardEvidence(EvidenceTable):
    """`hear` is told of every single finding, whether it could be recorded or not."""

    def __init__(self, database: StateDatabase, hear: Hear | None = None) -> None:
        super().__init__(database)
        self._hear = hear

    def record(self, evidence: Evidence) -> bool:
        """Returns True when the finding is kept."""
        if self._hear is not None:
            self._hear(evidence)
        return super().record(evidence)
