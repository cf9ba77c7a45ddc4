"""What a move has brought to its target, and what it has left where it was."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.integrity.report import Finding
from archive_tui.names.quantities import format_count, format_size


@dataclass(frozen=True, slots=True)
class MoveReceipt:
    """`source` and `target` are for people. `moved` objects of `bytes` lie at the target and not at the source any
    more; of these `renamed` got another name there, `replaced` took the place of another one, of `same` the content
    lay there already, and `in_place` were given their new name within their file system, without being read.
    `moved_before`: a run before this one had begun with so many more. `kept` stay at the source as another one lies at
    the target, `undecided` as somebody has to decide, `failed` could not be moved, `left` were copied and could not be
    deleted at the source, `skipped` is no object. `folders` that were emptied were removed, `empty_folders` stay.
    `weakest` is the name of the least EvidenceLevel by which a copy was proven before its source was deleted, in lower
    case; empty: nothing was copied. `findings` are the first FINDINGS_KEPT of `finding_count`. `seconds` of this
    run."""

    source: str
    target: str
    moved: int = 0
    bytes: int = 0
    renamed: int = 0
    replaced: int = 0
    same: int = 0
    in_place: int = 0
    moved_before: int = 0
    kept: int = 0
    undecided: int = 0
    failed: int = 0
    left: int = 0
    skipped: int = 0
    folders: int = 0
    empty_folders: int = 0
    weakest: str = ""
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a move."""
        parts = [f"{format_count(self.moved, 'object')}, {format_size(self.bytes)}"]
        counts = (
            (self.replaced, "of them replaced another one"),
            (self.renamed, "of them got another name"),
            (self.same, "of them lay there already"),
            (self.moved_before, "were moved before this run"),
            (self.kept, "not moved, as another one lies there"),
            (self.undecided, "to be decided"),
            (self.left, "copied, and could not be deleted at the source"),
            (self.failed, "failed"),
            (self.skipped, "skipped"),
        )
        parts += [f"{count:,} {words}" for count, words in counts if count]
        is_whole = not self.finding_count and not self.undecided
        return ("Moved: " if is_whole else "Not everything was moved: moved ") + "; ".join(parts)
