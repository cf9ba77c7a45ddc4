"""What became of single items: the marks of a job, a million of them if need be, and what it saved under names."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence

from archive_tui.continuation import ItemMark
from archive_tui.jobs.queue.texts import from_item, to_item, to_text

_COLUMNS = "item, outcome, is_good, stamp, digest, size, evidence, detail, at"
_INSERT = f"INSERT OR REPLACE INTO mark (job, phase, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_WINDOW = 500
"""Items asked for in one statement; SQLite takes 999 at least."""


def write_marks(connection: sqlite3.Connection, job_id: int, phase: str, marks: Iterable[ItemMark]) -> None:
    now = time.time()
    connection.executemany(
        _INSERT,
        (
            (
                job_id, phase, to_item(mark.item), mark.outcome, mark.is_good, to_text(mark.stamp), mark.digest,
                mark.size, mark.evidence, to_text(mark.detail), mark.at or now,
            )
            for mark in marks
        ),
    )  # fmt: skip


def find_marks(connection: sqlite3.Connection, job_id: int, phase: str, items: Sequence[str]) -> dict[str, ItemMark]:
    found: dict[str, ItemMark] = {}
    for begin in range(0, len(items), _WINDOW):
        window = [to_item(item) for item in items[begin : begin + _WINDOW]]
        wanted = ", ".join("?" * len(window))
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM mark WHERE job = ? AND phase = ? AND item IN ({wanted})", (job_id, phase, *window)
        )
        found.update((mark.item, mark) for mark in map(_to_mark, rows))
    return found


def read_marks(
    connection: sqlite3.Connection, job_id: int, phase: str | None, only_findings: bool, offset: int, limit: int
) -> list[ItemMark]:
    """Returns marks in the order of phases and items; phase None: all."""
    where = ("" if phase is None else " AND phase = ?") + (" AND is_good = 0" if only_findings else "")
    arguments = (job_id,) if phase is None else (job_id, phase)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM mark WHERE job = ?{where} ORDER BY phase, item LIMIT ? OFFSET ?",
        (*arguments, limit, offset),
    )
    return [_to_mark(row) for row in rows]


def read_marks_after(
    connection: sqlite3.Connection, job_id: int, last: tuple[str, str] | None, limit: int
) -> list[tuple[str, ItemMark]]:
    """Returns marks with their phases, in the order of both, that come after the phase and item `last`."""
    phase, item = ("", "") if last is None else last
    rows = connection.execute(
        f"""SELECT {_COLUMNS}, phase FROM mark WHERE job = ? AND (phase, item) > (?, ?)
            ORDER BY phase, item LIMIT ?""",
        (job_id, phase, to_item(item), limit),
    )
    return [(row[-1], _to_mark(row[:-1])) for row in rows]


def count_marks(connection: sqlite3.Connection, job_id: int) -> int:
    return int(connection.execute("SELECT count(*) FROM mark WHERE job = ?", (job_id,)).fetchone()[0])


def load_saved(connection: sqlite3.Connection, job_id: int, name: str) -> bytes | None:
    row = connection.execute("SELECT content FROM saved WHERE job = ? AND name = ?", (job_id, name)).fetchone()
    return None if row is None else bytes(row[0])


def write_saved(connection: sqlite3.Connection, job_id: int, name: str, content: bytes | None) -> None:
    """None forgets it."""
    if content is None:
        connection.execute("DELETE FROM saved WHERE job = ? AND name = ?", (job_id, name))
    else:
        connection.execute(
            "INSERT OR REPLACE INTO saved (job, name, content) VALUES (?, ?, ?)", (job_id, name, content)
        )


def prune_marks(connection: sqlite3.Connection, before: float) -> int:
    """Drops the marks of jobs that ended before that moment; returns how many."""
    old = "ended_at IS NOT NULL AND ended_at < ? AND owner IS NULL"
    connection.execute(
        f"""UPDATE job SET dropped_marks = dropped_marks + (SELECT count(*) FROM mark WHERE mark.job = job.id)
            WHERE {old}""",
        (before,),
    )
    return connection.execute(f"DELETE FROM mark WHERE job IN (SELECT id FROM job WHERE {old})", (before,)).rowcount


def are_marks_dropped(connection: sqlite3.Connection, job_id: int) -> bool:
    """True when not all that became of items is known any more."""
    row = connection.execute("SELECT dropped_marks FROM job WHERE id = ?", (job_id,)).fetchone()
    return row is not None and row[0] > 0


def _to_mark(row: tuple[str | bytes, str, int, str, str | None, int | None, str, str, float]) -> ItemMark:
    item, outcome, is_good, stamp, digest, size, evidence, detail, at = row
    return ItemMark(from_item(item), outcome, bool(is_good), stamp, digest, size, evidence, detail, at)
