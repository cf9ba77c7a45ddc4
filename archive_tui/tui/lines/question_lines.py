"""Conflicts that somebody has to decide, as lines of text. Pure functions."""

from __future__ import annotations

from rich.cells import cell_len

from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.job import Question
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count
from archive_tui.tui.lines.cells import Cell, cut_end, cut_middle, pad_to
from archive_tui.tui.lines.text_rows import labelled_rows

RULE_KEYS = {ConflictRule.KEEP: "l", ConflictRule.KEEP_BOTH: "b", ConflictRule.REPLACE: "o"}
RULE_WORDS = {
    ConflictRule.KEEP: "leave what is there; this item is not done, and the receipt says so",
    ConflictRule.KEEP_BOTH: "keep both; the new one gets another name, a version the next number",
    ConflictRule.REPLACE: "overwrite what is there; it is gone then",
}
NUMBER_WIDTH = 6


def question_row(question: Question, width: int) -> list[Cell]:
    """Job, item, and what stands against what."""
    conflict = question.conflict
    tail = escape_for_display(f"there: {conflict.found}   new: {conflict.wanted}")
    space = width - NUMBER_WIDTH - 3
    room = max(space // 3, space - cell_len(tail))
    item = pad_to(cut_middle(escape_for_display(conflict.item), room), room)
    rest = max(0, space - room)
    return [(f"{question.job_id:>4}  ", ""), (item, ""), (f"  {cut_end(tail, rest)}", "weak")]


def question_detail(question: Question, title: str, width: int) -> list[list[Cell]]:
    """Everything about one question, with the rules that can be chosen and their keys."""
    conflict = question.conflict
    rows: list[list[Cell]] = []
    rows += labelled_rows("job", f"{question.job_id} {title}", width)
    rows += labelled_rows("place", conflict.place, width, "heading")
    rows += labelled_rows("there", conflict.found, width)
    rows += labelled_rows("new", conflict.wanted, width)
    for rule in RULE_KEYS:
        if rule in conflict.choices:
            rows.append([(f" {RULE_KEYS[rule]}".ljust(12), "key"), (RULE_WORDS[rule], "")])
    return rows


def describe_scope(count: int, *, for_all: bool) -> str:
    """What the next answer is for."""
    if for_all:
        return f"An answer is for all {format_count(count, 'question')} of this job, and for those that come"
    return "An answer is for this one"
