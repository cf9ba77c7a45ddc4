"""What the user has picked in a pane: the marked rows, or the row under the cursor when none is marked."""

from __future__ import annotations

from array import array
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, overload

from archive_tui.manifests.checksum_lines.line import ManifestLine


@dataclass(frozen=True, slots=True)
class Selected:
    """One picked row. `name` is relative to the pane's location (a folder's ends in `/`), `key` the object's key in the
    location's store. `dataset` and `version` are set where the row is a dataset or an archive of one; `version` None
    stands for the latest. `size` in bytes, None: a folder, or not known. In a manifest `line` is the line and
    `position` its place among what the manifest yields, from 0; in a vault `digest` is that of the content."""

    name: str
    key: str
    is_folder: bool = False
    size: int | None = None
    dataset: str | None = None
    version: str | None = None
    line: ManifestLine | None = None
    position: int | None = None
    digest: str | None = None


class RowsToPick(Protocol):
    """The part of a pane's rows that picking needs."""

    @property
    def count(self) -> int: ...
    def name(self, row: int) -> str: ...
    def can_be_marked(self, row: int) -> bool: ...
    def selected(self, row: int) -> Selected | None: ...


class PickedRows(Sequence[Selected]):
    """The marked rows of a pane in their order; sought when somebody asks for them, and each made when it is asked for.
    Four bytes a row."""

    def __init__(self, rows: RowsToPick, marked: Set[str]) -> None:
        self._rows = rows
        self._marked = frozenset(marked)

    @cached_property
    def _found(self) -> array[int]:
        rows, marked = self._rows, self._marked
        return array("I", (row for row in range(rows.count) if rows.name(row) in marked and rows.can_be_marked(row)))

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Selected: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Selected]: ...
    def __getitem__(self, index: int | slice) -> Selected | Sequence[Selected]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        selected = self._rows.selected(self._found[index])
        assert selected is not None
        return selected
