"""What the user has picked in a pane: the marked rows, or the row under the cursor when none is marked."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, overload

from archive_tui.archives.vault.views.line_table import WORK_RUN, give_way
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.operations.listing import sort_in_runs
from archive_tui.progress import StopSignal, check_stop, never

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.safe import SafeEntry


@dataclass(frozen=True, slots=True)
class Selected:
    """One picked row. `name` is relative to the pane's location (a folder's ends in `/`), `key` the object's key in the
    location's store. `dataset` and `version` are set where the row is a dataset or an archive of one; `version` None
    stands for the latest. `size` in bytes, None: a folder, or not known. In a manifest `line` is the line and
    `position` its place among what the manifest yields, from 0; in a vault `digest` is that of the content.
    In a datasafe name and key are the LOI, and `entry` is what is known of it; None: a folder of LOIs."""

    name: str
    key: str
    is_folder: bool = False
    size: int | None = None
    dataset: str | None = None
    version: str | None = None
    line: ManifestLine | None = None
    position: int | None = None
    digest: str | None = None
    entry: SafeEntry | None = None


class RowsToPick(Protocol):
    """The part of a pane's rows that picking needs."""

    @property
    def count(self) -> int: ...
    def name(self, row: int) -> str: ...
    def can_be_marked(self, row: int) -> bool: ...
    def selected(self, row: int) -> Selected | None: ...


class PickedRows(Sequence[Selected]):
    """The marked rows of a pane in their order; sought when somebody asks for them, or before that by `collect`, and
    each made when it is asked for. `position` is the place of a row among what it was made from. Four bytes a row, with
    `position` eight."""

    def __init__(self, rows: RowsToPick, marked: Set[str], position: Callable[[int], int] | None = None) -> None:
        self._rows = rows
        self._marked = marked
        self._position = position
        self._found = array("I")
        self._places = array("I")
        self._next = 0
        self._lock = threading.Lock()
        self.is_collected = False

    def collect(self, stop: StopSignal = never) -> None:
        """Seeks the marked rows, and gives way to other threads meanwhile; what was stopped goes on where it was.

        Raises: OperationStopped.
        """
        with self._lock:
            rows, marked, count = self._rows, self._marked, self._rows.count
            while self._next < count:
                check_stop(stop)
                run = range(self._next, min(self._next + WORK_RUN, count))
                self._found.extend(row for row in run if rows.name(row) in marked and rows.can_be_marked(row))
                self._next = run.stop
                give_way()
            if self._position is not None and not self._places:
                places = sort_in_runs([self._position(row) for row in self._found], int, stop=stop)
                self._places = array("I", places)
            self.is_collected = True

    @property
    def places(self) -> Sequence[int]:
        """The places of the rows, ascending. Without `position` there are none."""
        if not self.is_collected:
            self.collect()
        return self._places

    def __len__(self) -> int:
        if not self.is_collected:
            self.collect()
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Selected: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Selected]: ...
    def __getitem__(self, index: int | slice) -> Selected | Sequence[Selected]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if not self.is_collected:
            self.collect()
        selected = self._rows.selected(self._found[index])
        assert selected is not None
        return selected
