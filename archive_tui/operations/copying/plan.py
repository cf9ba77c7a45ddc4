"""What is to be copied where: a value that lists nothing and contacts nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive_tui.errors import ConfigurationError
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.selected_entries import Selection, innermost

_ITSELF = "copy-into-itself"


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """The object `base + name` goes to `into + name`, whatever the name; where `new_names` has another one for the
    first part, be it `a.txt` or `folder/`, that part becomes it. `source_start` and `target_start` say where
    `base` and `into` lie, comparable with each other when both are in one place; `trees` where that lies of which all
    is copied."""

    selection: Selection
    target: ObjectStore
    into: str
    source_start: str
    target_start: str
    trees: tuple[str, ...]
    new_names: Mapping[str, str] | None = None

    @property
    def source(self) -> ObjectStore:
        return self.selection.store

    def item(self, key: str) -> str:
        """The name of an object in this copy, by its key at the source."""
        return key[len(self.selection.base) :]

    def target_key(self, item: str) -> str:
        """The key of an object at the target, by its name in this copy."""
        return self.into + self._new_item(item)

    def _new_item(self, item: str) -> str:
        if not self.new_names:
            return item
        head, slash, rest = item.partition("/")
        return self.new_names.get(head + slash, head + slash) + rest

    def find_overlap(self, item: str) -> str:
        """Says in a few words why this item cannot be copied: it would be written over or among what is copied. Empty:
        it can."""
        source, target = self.source_start + item, self.target_start + self._new_item(item)
        if source == target:
            return "it would be copied onto itself"
        if not (self.target_start.startswith(self.source_start) or self.source_start.startswith(self.target_start)):
            return ""
        return "it would be written among what is copied" if target.startswith(self.trees) else ""


def plan_copy(
    source: ObjectStore, names: Sequence[str], target: ObjectStore, into: str = "", *, base: str = ""
) -> CopyPlan:
    """Plans to copy what the names below `base` mean (see `selected_entries`) to the same names below `into`, which is
    empty or ends in `/`.

    Raises: ConfigurationError (copy-into-itself) when the target is the source, or lies in it.
    """
    source_start, target_start = _start(source, base), _start(target, into)
    if source_start == target_start:
        raise ConfigurationError(
            f"Source and target are the same place: {target.label} {into}".rstrip(),
            hint="Choose another target.",
            code=_ITSELF,
        )
    trees = [name for name in names if not name or name.endswith("/")]
    for name in trees:
        if (target_start + name).startswith(source_start + name):
            raise ConfigurationError(
                f"The target lies in what is to be copied: {target.label} {into}".rstrip(),
                hint="Choose a target outside of it.",
                code=_ITSELF,
            )
    selection = Selection(source, base, tuple(names))
    return CopyPlan(selection, target, into, source_start, target_start, tuple(source_start + name for name in trees))


def plan_new_names(store: ObjectStore, new_names: Mapping[str, str], *, base: str = "") -> CopyPlan:
    """Plans to copy what lies below `base` under the old names to the new ones, in the same place. Names of folders end
    in `/`, old and new."""
    start = _start(store, base)
    trees = tuple(start + name for name in new_names if name.endswith("/"))
    return CopyPlan(Selection(store, base, tuple(new_names)), store, base, start, start, trees, new_names)


def _start(store: ObjectStore, prefix: str) -> str:
    folder = innermost(store)
    if isinstance(folder, FolderStore):
        path = os.path.realpath(folder.root / prefix)  # a link must not make two places of one
        return f"file://{path.rstrip('/')}/"
    return f"{store.identity}/{prefix}"
