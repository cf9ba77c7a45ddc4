"""What a deletion would remove: counted before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archive_tui.errors import AccessDenied, ObjectNotFound, StorageError
from archive_tui.names.display import escape_for_display
from archive_tui.names.protected_keys import explain_way, find_counterpart, find_protection
from archive_tui.names.quantities import format_count, format_total
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.selected_entries import LINK, SelectedEntry, Selection, whole_key
from archive_tui.progress import Ended, Planned, Report, StopSignal, ignore, never

COUNT_PHASE = "count"

PROTECTED_KEPT = 20
"""Protected objects that a plan names."""


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """`bytes` of the objects whose size is known; of `unknown_sizes` it is not. `protected` are the first of
    `protected_count` objects that are never deleted this way, each with what it is. `problems` are things that are no
    objects and would stay; `empty_folders` of this machine would go."""

    objects: int
    bytes: int
    unknown_sizes: int
    protected: tuple[tuple[str, str], ...]
    protected_count: int
    problems: int
    empty_folders: int

    @property
    def amount(self) -> str:
        """`1,204 objects, 3.1 GB`"""
        return f"{format_count(self.objects, 'object')}, {format_total(self.bytes, self.unknown_sizes)}"


def plan_delete(
    store: ObjectStore, names: Sequence[str], *, base: str = "", report: Report = ignore, stop: StopSignal = never
) -> DeletePlan:
    """Counts what deleting the names below `base` (see `selected_entries`) would delete, and what of it is protected.

    Raises: what the store raises, OperationStopped.
    """
    objects = total = unknown = problems = protected_count = empty_folders = 0
    protected: list[tuple[str, str]] = []
    paced = PacedReport(report, COUNT_PHASE)
    report(Planned(COUNT_PHASE))
    is_finished = False
    try:
        for entry in Selection(store, base, names).entries(stop=stop):
            sized = ask_size(store, entry)
            if sized is None:
                problems += not entry.is_empty_folder
                empty_folders += entry.is_empty_folder
                continue
            objects += 1
            total += max(sized, 0)
            unknown += sized < 0
            what = find_protection(whole_key(store, entry.key))
            if what is not None:
                protected_count += 1
                if len(protected) < PROTECTED_KEPT:
                    protected.append((entry.key, what))
            paced.add(0, 1, entry.key)
        is_finished = True
    finally:
        paced.flush()
        report(Ended(COUNT_PHASE, is_finished))
    return DeletePlan(objects, total, unknown, tuple(protected), protected_count, problems, empty_folders)


def check_deletable(plan: DeletePlan, store: ObjectStore, verb: str = "deleted") -> None:
    """`verb` is what would be done. Raises: StorageError (delete-protected) when anything in it is protected."""
    if not plan.protected_count:
        return
    key, what = plan.protected[0]
    more = f", and {plan.protected_count - 1:,} more" if plan.protected_count > 1 else ""
    raise StorageError(
        f"Refused, {what} is never {verb} this way: {escape_for_display(key)}{more}",
        key=key,
        store=store.label,
        hint=f"Nothing was {verb}. {_tell_references(store, key)}{explain_way(what)}",
        code="delete-protected",
    )


def _tell_references(store: ObjectStore, key: str) -> str:
    """What lies beside it and refers to it, as a sentence; empty: nothing. Raises: what the store raises."""
    other = find_counterpart(key)
    if other is None:
        return ""
    try:
        store.info(other)
    except ObjectNotFound:
        return ""
    return f"It belongs to {escape_for_display(other)}, which lies beside it. "


def ask_size(store: ObjectStore, entry: SelectedEntry) -> int | None:
    """In bytes, -1 when the store does not say; None: nothing that could be deleted. Raises: what the store raises."""
    if entry.problem == LINK:
        return 0
    if entry.problem or entry.is_empty_folder:
        return None
    if entry.info is not None:
        return entry.info.size
    try:
        return store.info(entry.key).size
    except ObjectNotFound:
        return None
    except AccessDenied as error:
        if error.code == "symlink-in-path":
            return 0
        raise
