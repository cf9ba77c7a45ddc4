"""What a pane asks of the thread that lists for it, and what it gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive_tui.archives.vault.views.known_names import KnownNames
from archive_tui.archives.vault.views.manifest_states import StatesByDocument
from archive_tui.errors import ConfigurationError
from archive_tui.operations.listing import Arrangement
from archive_tui.tui.rows.pane_rows import PaneRows

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.safe import Safe
    from archive_tui.archives.locations import Location
    from archive_tui.state.evidence_table import EvidenceTable


@dataclass(frozen=True, slots=True)
class Loaded:
    """`rows` None: only the count, `loaded`, or states of the rows have changed. `remark`: what the user should know of
    them, as sentences."""

    rows: PaneRows | None
    loaded: int
    remark: str = ""


def no_safe(location: Location) -> Safe:
    """Raises: ConfigurationError, always."""
    raise ConfigurationError(f"No datasafe lies at {location.title}.", code="no-datasafe")


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What a pane wants to see. `evidence` None: nothing is known about any object. `states` are those of manifests
    that were open before, `names` those by which the contents of vaults are known; `open_safe` opens the datasafe of a
    location."""

    location: Location
    view: str
    arrangement: Arrangement
    evidence: EvidenceTable | None
    ascii_only: bool = False
    expanded: frozenset[str] = frozenset()
    states: StatesByDocument = field(default_factory=StatesByDocument)
    names: KnownNames = field(default_factory=KnownNames)
    open_safe: Callable[[Location], Safe] = no_safe
