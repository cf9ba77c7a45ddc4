"""Folders that move as a whole, and what becomes of those that a move has emptied."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from archive_tui.continuation import ItemMark, Journal
from archive_tui.errors import ObjectExists
from archive_tui.objects.folder.empty_folders import remove_empty_folders
from archive_tui.objects.folder.moving_names import rename_folder
from archive_tui.objects.folder.new_folder import make_new_folder
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.deleting.plan import plan_delete
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.moving.in_place import folders_of
from archive_tui.operations.moving.tally import MoveTally
from archive_tui.operations.selected_entries import innermost
from archive_tui.progress import StopSignal, check_stop

MOVED = "moved"


def rename_whole_folders(
    plan: CopyPlan, tally: MoveTally, journal: Journal, paced: PacedReport, phase: str, stop: StopSignal
) -> CopyPlan:
    """Gives each folder of the plan its new place in one step, where both places are folders of one file system and
    nothing of its name lies there; returns the plan for what is left.

    Raises: what the folders raise, OperationStopped.
    """
    folders = folders_of(plan)
    if folders is None:
        return plan
    left = []
    for name in plan.selection.names:
        check_stop(stop)
        key, new_key = plan.selection.base + name.rstrip("/"), plan.target_key(name).rstrip("/")
        if not name.endswith("/") or plan.find_overlap(name):
            left.append(name)
            continue
        counted = plan_delete(plan.source, [name], base=plan.selection.base, stop=stop)
        if counted.protected_count or not rename_folder(folders[0], key, folders[1], new_key):
            left.append(name)
            continue
        tally.add_folder(counted.objects, counted.bytes)
        paced.add(counted.bytes, counted.objects, name)
        journal.record(phase, (ItemMark(name, MOVED, size=counted.bytes, detail=f"{counted.objects:,} objects"),))
    return replace(plan, selection=replace(plan.selection, names=tuple(left)))


class EmptyFolders:
    """The folders that a move finds empty: made anew in a folder, left where they are when the target is a store."""

    def __init__(self, plan: CopyPlan) -> None:
        self._plan = plan
        self._left: set[str] = set()

    def add(self, key: str) -> None:
        """Raises: what the folder at the target raises."""
        target, item = innermost(self._plan.target), self._plan.item(key)
        folder = item.rstrip("/")
        if not isinstance(target, FolderStore) or self._plan.find_overlap(item):
            self._left.add(key.rstrip("/"))
        elif folder:
            with suppress(ObjectExists):
                make_new_folder(target, self._plan.target_key(f"{folder}/").rstrip("/"))

    @property
    def count(self) -> int:
        """How many stay at the source."""
        return len(self._left)

    def remove_emptied(self) -> int:
        """Removes the folders at the source that hold nothing any more; returns how many."""
        source, base = innermost(self._plan.source), self._plan.selection.base
        if not isinstance(source, FolderStore):
            return 0
        names = [name for name in self._plan.selection.names if not name or name.endswith("/")]
        return sum(remove_empty_folders(source, base + name, kept=self._left) for name in names)
