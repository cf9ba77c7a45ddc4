"""Whether a folder or prefix lies in a datasafe or a results store, which only the place itself can tell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from archive_tui.errors import AccessDenied, StorageError
from archive_tui.names.display import escape_for_display
from archive_tui.names.protected_keys import PLACE_MARKS
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.object_presence import has_object
from archive_tui.operations.selected_entries import innermost


def find_marked_place(store: ObjectStore, key: str) -> str | None:
    """Says what kind of place `key` lies in, in a few words; None: in none with rules of its own. In a folder of this
    machine the folders above the root of the store count, too.

    Raises: what the store raises.
    """
    folder = innermost(store)
    if isinstance(folder, FolderStore):
        above = os.path.realpath(folder.root / key.rpartition("/")[0])
        return next((what for path in _upwards(above) for what in _marks_in_folder(path)), None)
    prefix = key.rpartition("/")[0]
    while True:
        for mark, what in PLACE_MARKS.items():
            # A login for one prefix is denied whatever lies above it, be it there or not.
            with suppress(AccessDenied):
                if has_object(store, f"{prefix}/{mark}" if prefix else mark):
                    return what
        if not prefix:
            return None
        prefix = prefix.rpartition("/")[0]


def refuse_in_marked_places(store: ObjectStore, base: str, names: Iterable[str], verb: str) -> None:
    """`verb` is what would be done: `deleted`, `moved`.

    Raises: StorageError (`delete-protected`) when a name lies in a place that is kept by rules of its own.
    """
    looked_at: dict[str, str | None] = {}
    for name in names:
        key = base + name
        above = key.rstrip("/").rpartition("/")[0] if name else key.rstrip("/")
        if above not in looked_at:
            looked_at[above] = find_marked_place(store, f"{above}/." if above else ".")
        what = looked_at[above]
        if what is not None:
            raise StorageError(
                f"Refused, what {what} keeps is never {verb} this way: {escape_for_display(key or store.label)}",
                key=key,
                store=store.label,
                hint=f"Nothing was {verb}. It is kept; work on it with the commands of {what}.",
                code="delete-protected",
            )


def _upwards(path: str) -> Iterator[str]:
    while True:
        yield path
        above = os.path.dirname(path)  # noqa: PTH120  (keeps bytes as they are)
        if above == path:
            return
        path = above


def _marks_in_folder(path: str) -> Iterator[str]:
    for mark, what in PLACE_MARKS.items():
        if os.path.isfile(os.path.join(path, mark)):  # noqa: PTH113, PTH118
            yield what
