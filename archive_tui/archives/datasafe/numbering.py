"""The number that a new dataset gets."""

from __future__ import annotations

from collections.abc import Iterable

from archive_tui.errors import StorageError
from archive_tui.names.loi import read_number


def next_number(taken: Iterable[int], parent: str, label: str) -> int:
    """Returns the highest of the numbers that are taken plus one, from 1.

    Raises: StorageError (no-number) when no LOI could have it: something with the highest number lies in the way.
    """
    number = max(taken, default=0) + 1
    if read_number(str(number)) is None:
        raise StorageError(
            f"{label}: no number is left below {parent}: {number - 1} is there already.",
            key=parent,
            store=label,
            hint="Rename or remove what has that number, if it is no dataset.",
            code="no-number",
        )
    return number
