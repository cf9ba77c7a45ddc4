"""What the user has picked in a pane: the marked rows, or the row under the cursor when none is marked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selected:
    """One picked row. `name` is relative to the pane's location (a folder's ends in `/`), `key` the object's key in the
    location's store. `dataset` and `version` are set where the row is a dataset or an archive of one; `version` None
    stands for the latest. `size` in bytes, None: a folder, or not known."""

    name: str
    key: str
    is_folder: bool = False
    size: int | None = None
    dataset: str | None = None
    version: str | None = None
