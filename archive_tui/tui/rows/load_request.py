"""What a pane asks of the thread that lists for it, and what it gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive_tui.archives.vault.views.known_names import KnownNames
from archive_tui.archives.vault.views.manifest_states import StatesByDocument
from archive_tui.operations.listing import Arrangement
from archive_tui.tui.rows.pane_rows import PaneRows

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.state.evidence_table import EvidenceTable


@dataclass(frozen=True, slots=True)
class Loaded:
    """`rows` None: only the count, `loaded`, or states of the rows have changed. `remark`: what the user should know of
    them, as sentences."""

    rows: PaneRows | None
    loaded: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What a pane wants to see. `evidence` None: nothing is known about any object. `states` are those of manifests
    that were open before, `names` those by which the contents of vaults are known."""

    location: Location
    view: str
    arrangement: Arrangement
    evidence: EvidenceTable | None
    ascii_only: bool = False
    expanded: frozenset[str] = frozenset()
    states: StatesByDocument = field(default_factory=StatesByDocument)
    names: KnownNames = field(default_factory=KnownNames)
