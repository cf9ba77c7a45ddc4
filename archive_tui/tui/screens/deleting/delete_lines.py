"""The review of a deletion as lines of text. Pure functions."""

from __future__ import annotations

from archive_tui.names.quantities import format_count
from archive_tui.operations.deleting import DeletePlan
from archive_tui.operations.trash import Trash
from archive_tui.tui.file_routes import DeleteReview, FileSelection
from archive_tui.tui.lines.text_rows import labelled_rows
from archive_tui.tui.widgets.line_view import Line

NAMES_SHOWN = 8

_BACK = {
    Trash.FOLDER: ("t moves all of it to the trash of this machine, from where it can be put back.", "proven"),
    Trash.VERSIONS: ("The store keeps what is deleted as earlier versions: its own tools bring them back.", "proven"),
    Trash.NONE: ("No: this store has no trash and keeps no versions. What is deleted is gone.", "damaged"),
}


def review_rows(selection: FileSelection, review: DeleteReview, width: int) -> list[Line]:
    """What would go, from where, what may not go, and whether it can be had back."""
    plan = review.plan
    rows: list[Line] = [[], *labelled_rows("goes", describe_plan(plan), width, "heading")]
    location = selection.location
    where = location.title if location.folder is not None else f"{location.title}  ({location.store.label})"
    rows += labelled_rows("from", where, width)
    for number, name in enumerate(selection.names[:NAMES_SHOWN]):
        rows += labelled_rows("chosen" if not number else "", name, width)
    if len(selection.names) > NAMES_SHOWN:
        rows += labelled_rows("", f"and {len(selection.names) - NAMES_SHOWN:,} more", width, "weak")
    if plan.problems:
        stays = f"{format_count(plan.problems, 'entry', 'entries')}: no file, or not there any more"
        rows += labelled_rows("stays", stays, width, "doubtful")
    rows.append([])
    if review.refusal is not None:
        return [*rows, *_refusal_rows(review, width)]
    if not plan.objects and not plan.empty_folders:
        return [*rows, *labelled_rows("", "Nothing to delete lies there.", width)]
    sentence, style = _BACK[review.trash]
    return [*rows, *labelled_rows("undone?", sentence, width, style)]


def describe_plan(plan: DeletePlan) -> str:
    """`1,204 objects, 3.1 GB, and 2 empty folders`"""
    if not plan.empty_folders:
        return plan.amount
    return f"{plan.amount}, and {format_count(plan.empty_folders, 'empty folder')}"


def _refusal_rows(review: DeleteReview, width: int) -> list[Line]:
    plan, refusal = review.plan, review.refusal
    assert refusal is not None
    rows: list[Line] = [*labelled_rows("✗ refused", str(refusal), width, "damaged")]
    rows += labelled_rows("", refusal.hint, width)
    for number, (key, what) in enumerate(plan.protected):
        rows += labelled_rows("" if number else "protected", f"{key}  {what}", width, "doubtful")
    if plan.protected_count > len(plan.protected):
        rows += labelled_rows("", f"and {plan.protected_count - len(plan.protected):,} more", width, "weak")
    return rows
