"""Records what a command has proven about an object, for later screens and audits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.integrity.evidence import Evidence


def record_evidence(invocation: Invocation, evidence: Evidence | None) -> None:
    """Writes the evidence into the state database; None is nothing to write.

    The result of the command does not depend on it: what cannot be recorded becomes a note.
    """
    if evidence is None:
        return
    from archive_tui.state.database import open_state_database
    from archive_tui.state.evidence_table import EvidenceTable

    database = open_state_database()
    try:
        EvidenceTable(database).record(evidence)
        for remark in database.remarks:
            invocation.note(remark)
    finally:
        database.close()
