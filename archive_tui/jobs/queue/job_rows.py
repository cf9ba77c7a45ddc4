"""Jobs as the database holds them, read as snapshots."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.jobs.job import FailedItem, JobSnapshot, LogLine
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.jobs.queue.claiming import show_policy
from archive_tui.jobs.queue.texts import to_text
from archive_tui.jobs.states import JobState

_COLUMNS = """job.id, kind, title, source, destination, command, state, message, started_at, ended_at, hint, code,
    queued_at, owner, wish, wait, retry_at, attempt, ran_seconds, position, policy, worker.description,
    progress.content, (SELECT count(*) FROM question WHERE question.job = job.id AND answer IS NULL)"""
_FROM = "FROM job LEFT JOIN worker ON worker.id = job.owner LEFT JOIN progress ON progress.job = job.id"
_UNFINISHED = ", ".join(f"'{state.value}'" for state in JobState if not state.is_end)
# Both conditions are such that an index answers them: a long history costs nothing.
_NEWEST = "WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, job.id DESC"

Row = tuple[Any, ...]


class SnapshotReader:
    """Reads jobs; of those that have not changed since the last time, the very same snapshots are returned."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Row, JobSnapshot]] = {}

    def read_recent(self, connection: sqlite3.Connection, ended: int) -> list[JobSnapshot]:
        """Returns all jobs that have not ended, and the newest that have, in the order of their numbers."""
        unfinished = f"SELECT {_COLUMNS} {_FROM} WHERE state IN ({_UNFINISHED})"
        newest = f"SELECT {_COLUMNS} {_FROM} {_NEWEST} LIMIT ?"
        rows = [*connection.execute(unfinished).fetchall(), *connection.execute(newest, (ended,)).fetchall()]
        known = {row[0]: self._snapshot(row) for row in rows}
        self._known = {job_id: self._known[job_id] for job_id in known}
        return [known[job_id] for job_id in sorted(known)]

    def _snapshot(self, row: Row) -> JobSnapshot:
        kept = self._known.get(row[0])
        if kept is None or kept[0] != row or row[15] is not None:
            kept = (row, to_snapshot(row))
            self._known[row[0]] = kept
        return kept[1]


def read_history(connection: sqlite3.Connection, offset: int, limit: int) -> list[JobSnapshot]:
    """Returns jobs that have ended, the newest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} {_NEWEST} LIMIT ? OFFSET ?",
        (limit, offset),
    )
    return [to_snapshot(row) for row in rows.fetchall()]


def read_job(connection: sqlite3.Connection, job_id: int) -> JobSnapshot | None:
    """Returns a job with its log, findings and failed items; its result is in `read_result`."""
    row = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE job.id = ?", (job_id,)).fetchone()
    if row is None:
        return None
    return dataclasses.replace(
        to_snapshot(row),
        log=_read_log(connection, job_id),
        findings=_read_findings(connection, job_id),
        failed_items=_read_failed_items(connection, job_id),
    )


def read_result(connection: sqlite3.Connection, job_id: int) -> dict[str, Any] | None:
    """Returns what `jobs.receipts.results` wrote down; None: nothing."""
    row = connection.execute("SELECT result FROM outcome WHERE job = ?", (job_id,)).fetchone()
    known: dict[str, Any] | None = json.loads(row[0]) if row is not None and row[0] is not None else None
    return known


def to_snapshot(row: Row) -> JobSnapshot:
    (
        job_id, kind, title, source, destination, command, state, message, started_at, ended_at, hint, code, queued_at,
        owner, wish, wait, retry_at, attempt, ran_seconds, position, policy, description, progress, questions,
    ) = row  # fmt: skip
    phases, failed_count = read_progress(progress)
    return JobSnapshot(
        id=job_id, kind=kind, title=title, source=source, destination=destination, command=command,
        state=JobState(state), phases=phases, findings=(), message=message, started_at=started_at, ended_at=ended_at,
        result=None, log=(), failed_count=failed_count, hint=hint, code=code, queued_at=queued_at,
        owner=(description or "a program that is gone") if owner else "",
        stopping_for=JobState(wish) if wish else None, retry_in=seconds_left(wait, retry_at), attempt=attempt,
        questions=questions, ran_seconds=ran_seconds, position=position, policy=show_policy(policy),
    )  # fmt: skip


def seconds_left(wait: float | None, retry_at: float | None) -> float | None:
    """Seconds until a retry; never more than the whole wait, whatever the clock says."""
    if wait is None or retry_at is None:
        return None
    return min(max(0.0, retry_at - time.time()), wait)


def write_progress_text(connection: sqlite3.Connection, job_id: int, content: str) -> None:
    """Keeps the newest `progress_text` of a job."""
    connection.execute(
        "INSERT INTO progress (job, content) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET content = excluded.content",
        (job_id, content),
    )


def progress_text(phases: Sequence[PhaseProgress], failed_count: int, seconds: float) -> str:
    """Returns the figures of a run as they are kept; `seconds` is how long it has run so far."""
    listed = [dataclasses.asdict(phase) for phase in phases]
    return json.dumps({"phases": listed, "failed": failed_count, "seconds": seconds})


def read_progress(text: str | None) -> tuple[tuple[PhaseProgress, ...], int]:
    if text is None:
        return (), 0
    known = json.loads(text)
    names = {field.name for field in dataclasses.fields(PhaseProgress)}
    phases = tuple(
        PhaseProgress(**{key: value for key, value in phase.items() if key in names}) for phase in known["phases"]
    )
    return phases, int(known["failed"])


def write_failed_items(connection: sqlite3.Connection, job_id: int, items: Iterable[FailedItem]) -> None:
    connection.executemany(
        "INSERT INTO failed_item (job, phase, item, reason, position) VALUES (?, ?, ?, ?, ?)",
        [(job_id, item.phase, to_text(item.item), to_text(item.reason), item.position) for item in items],
    )


def _read_log(connection: sqlite3.Connection, job_id: int) -> tuple[LogLine, ...]:
    rows = connection.execute("SELECT at, text FROM log WHERE job = ? ORDER BY id", (job_id,))
    return tuple(LogLine(at, text) for at, text in rows)


def _read_failed_items(connection: sqlite3.Connection, job_id: int) -> tuple[FailedItem, ...]:
    rows = connection.execute(
        "SELECT phase, item, reason, position FROM failed_item WHERE job = ? ORDER BY id", (job_id,)
    )
    return tuple(FailedItem(*row) for row in rows)


def _read_findings(connection: sqlite3.Connection, job_id: int) -> tuple[Finding, ...]:
    row = connection.execute("SELECT findings FROM outcome WHERE job = ?", (job_id,)).fetchone()
    if row is None:
        return ()
    return tuple(Finding(FindingKind(kind), *rest) for kind, *rest in json.loads(row[0]))


def has_unfinished(connection: sqlite3.Connection) -> bool:
    """True while any job runs, or will by itself."""
    moving = (JobState.QUEUED, JobState.RUNNING, JobState.STOPPING, JobState.WAITING)
    states = ", ".join(f"'{state.value}'" for state in moving)
    return connection.execute(f"SELECT 1 FROM job WHERE state IN ({states}) LIMIT 1").fetchone() is not None


def read_moving_states(connection: sqlite3.Connection, job_ids: Iterable[int], *, after: int) -> dict[int, JobState]:
    """Returns the states of all jobs that have not ended, of these, and of those whose numbers come after `after`."""
    wanted = json.dumps(list(job_ids))
    rows = connection.execute(
        f"""SELECT id, state FROM job WHERE id > ? OR state IN ({_UNFINISHED})
            OR id IN (SELECT value FROM json_each(?)) ORDER BY id""",
        (after, wanted),
    )
    return {job_id: JobState(state) for job_id, state in rows}


def read_last_id(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM job").fetchone()[0])
