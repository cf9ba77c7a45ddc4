"""The preview of names that are to change, as lines of text. Pure functions."""

from __future__ import annotations

from rich.cells import cell_len

from archive_tui.names.display import escape_for_display
from archive_tui.operations.renaming import RenamePlan
from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle, pad_to

LEAST_NAME = 12
"""Cells by which a name can still be told from another one."""

SIGNS_WIDTH = 8
"""Cells of the sign, of the arrow and of the edges."""


def count_plan_rows(plan: RenamePlan) -> int:
    return len(plan.clashes) + len(plan.refused) + len(plan.renames) + len(plan.unchanged)


def plan_row(plan: RenamePlan, index: int, width: int) -> list[Cell]:
    """What is in the way comes first, then what changes, last what stays."""
    if index < len(plan.clashes):
        clash = plan.clashes[index]
        return _row("✗", clash.old, clash.new, clash.why, "damaged", width)
    index -= len(plan.clashes)
    if index < len(plan.refused):
        name, why = plan.refused[index]
        return _row("✗", name, "", why, "damaged", width)
    index -= len(plan.refused)
    if index < len(plan.renames):
        old, new = plan.renames[index]
        return _row("*", old, new, "", "", width)
    name = plan.unchanged[index - len(plan.renames)]
    return _row("=", name, "", "stays as it is", "weak", width)


def total_line(plan: RenamePlan) -> list[Cell]:
    """`12 to rename · 2 clash · 3 stay`"""
    parts = [f"{len(plan.renames):,} to rename"]
    if plan.clashes:
        parts.append(f"{len(plan.clashes):,} clash")
    if plan.refused:
        parts.append(f"{len(plan.refused):,} refused")
    if plan.unchanged:
        parts.append(f"{len(plan.unchanged):,} stay")
    is_blocked = bool(plan.clashes or plan.refused)
    if is_blocked:
        return [(f" ✗ {' · '.join(parts)}: nothing is renamed while names are in the way", "damaged")]
    return [(f" {' · '.join(parts)}. Nothing is replaced.", "heading" if plan.renames else "weak")]


def _row(sign: str, old: str, new: str, why: str, style: str, width: int) -> list[Cell]:
    """The reason stays whole where there is room for it: names are cut first."""
    room = max(LEAST_NAME, (width - SIGNS_WIDTH) // 3)
    rest = max(LEAST_NAME, width - SIGNS_WIDTH - room)
    before, why = pad_to(cut_middle(escape_for_display(old), room), room), escape_for_display(why)
    if not new:
        return [(f" {sign} {before}   ", style), (cut_end(why, rest), style)]
    after = cut_middle(escape_for_display(new), max(LEAST_NAME, rest - (cell_len(why) + 2 if why else 0)))
    reason = f"  {why}" if why else ""
    return [(f" {sign} {before} → ", style), (cut_end(f"{after}{reason}", rest), style)]
