"""What is said when a state database cannot be used as it should, in the words of what it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseWording:
    """Beginnings of sentences; the path and the reason follow after a colon."""

    no_folder: str
    read_only: str
    set_aside: str
    replaced: str
    not_written: str
    not_read: str
    unusable: str


EVIDENCE_WORDING = DatabaseWording(
    no_folder="Nothing is recorded: this user has no folder for program state.",
    read_only="What is verified now is not recorded, the earlier records are shown",
    set_aside="The records of earlier checks were damaged; a new file is begun, the old is kept",
    replaced="The records of earlier checks were removed or replaced while the program ran; the file is begun anew",
    not_written="Not recorded",
    not_read="The records could not be read",
    unusable="Nothing is recorded, the file cannot be used",
)
