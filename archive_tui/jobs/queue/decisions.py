"""The tray: conflicts that somebody has to decide, and the answers."""

from __future__ import annotations

import json
import sqlite3
import time

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.jobs.job import Question
from archive_tui.jobs.queue.texts import from_item, to_item, to_json, to_text
from archive_tui.jobs.queue.transitions import enter_state, read_state
from archive_tui.jobs.states import JobState

_COLUMNS = "job, item, place, found, wanted, choices, asked_at, answer"


def find_answer(connection: sqlite3.Connection, job_id: int, conflict: Conflict) -> ConflictRule | None:
    """Returns what somebody decided for this very conflict; an answer about something else that lay there before does
    not count."""
    row = connection.execute(
        "SELECT found, answer FROM question WHERE job = ? AND item = ?", (job_id, to_item(conflict.item))
    ).fetchone()
    if row is None or row[1] is None or row[0] != to_text(conflict.found):
        return None
    return ConflictRule(row[1])


def ask(connection: sqlite3.Connection, job_id: int, conflict: Conflict) -> None:
    """Puts the conflict into the tray, or renews it."""
    connection.execute(
        f"INSERT OR REPLACE INTO question ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            job_id, to_item(conflict.item), to_text(conflict.place), to_text(conflict.found), to_text(conflict.wanted),
            to_json([rule.value for rule in conflict.choices]), time.time(),
        ),
    )  # fmt: skip


def read_questions(connection: sqlite3.Connection, job_id: int | None) -> list[Question]:
    """Returns the questions that nobody has answered, in the order in which they were asked. None: of all jobs."""
    where, arguments = ("", ()) if job_id is None else ("AND job = ?", (job_id,))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM question WHERE answer IS NULL {where} ORDER BY asked_at, job, item", arguments
    )
    return [_to_question(row) for row in rows]


def read_all_questions(connection: sqlite3.Connection, job_id: int) -> list[Question]:
    """Returns all questions of a job, answered or not."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM question WHERE job = ? ORDER BY asked_at, item", (job_id,))
    return [_to_question(row) for row in rows]


def read_question(connection: sqlite3.Connection, job_id: int, item: str) -> Question | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM question WHERE job = ? AND item = ?", (job_id, to_item(item))
    ).fetchone()
    return None if row is None else _to_question(row)


def write_answer(connection: sqlite3.Connection, job_id: int, item: str, rule: ConflictRule, *, for_all: bool) -> None:
    """Answers one question, or all of the job that the rule is possible for and those that are still to come. When
    nothing is open any more the job is queued."""
    if for_all:
        connection.execute("UPDATE job SET rule_for_all = ? WHERE id = ?", (rule.value, job_id))
    for question in read_questions(connection, job_id):
        if question.conflict.item == item or (for_all and rule in question.conflict.choices):
            connection.execute(
                "UPDATE question SET answer = ? WHERE job = ? AND item = ?",
                (rule.value, job_id, to_item(question.conflict.item)),
            )
    if not read_questions(connection, job_id) and read_state(connection, job_id) is JobState.UNDECIDED:
        enter_state(connection, job_id, JobState.QUEUED, "Everything is decided.", message="")


def read_rule_for_all(connection: sqlite3.Connection, job_id: int) -> ConflictRule | None:
    row = connection.execute("SELECT rule_for_all FROM job WHERE id = ?", (job_id,)).fetchone()
    return ConflictRule(row[0]) if row is not None and row[0] else None


def _to_question(row: tuple[object, ...]) -> Question:
    job_id, item, place, found, wanted, choices, asked_at, answer = row
    rules = tuple(ConflictRule(rule) for rule in json.loads(str(choices)))
    assert isinstance(job_id, int) and isinstance(item, str | bytes) and isinstance(asked_at, float)
    conflict = Conflict(from_item(item), str(place), str(found), str(wanted), rules)
    return Question(job_id, conflict, asked_at, ConflictRule(str(answer)) if answer is not None else None)
