"""Uploads in parts that a job has begun and not completed: which token continues which, and where."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive_tui.jobs.queue.texts import to_json
from archive_tui.jobs.states import JobState


@dataclass(frozen=True, slots=True)
class RememberedUpload:
    """`place` is how the job named the store, `begun` in seconds since the epoch."""

    job_id: int
    state: JobState
    store: str
    key: str
    token: str
    place: Mapping[str, Any]
    begun: float


def take_token(connection: sqlite3.Connection, job_id: int, store: str, key: str) -> str | None:
    """Returns the token of an upload of that key. One that another job has left becomes this job's; one of a job that
    runs is never touched."""
    row = connection.execute(
        """SELECT upload.job, token FROM upload LEFT JOIN job ON job.id = upload.job
           WHERE store = ? AND object = ? AND (upload.job = ? OR job.owner IS NULL)
           ORDER BY upload.job = ? DESC, begun DESC LIMIT 1""",
        (store, key, job_id, job_id),
    ).fetchone()
    if row is None:
        return None
    if row[0] != job_id:
        connection.execute(
            "UPDATE upload SET job = ? WHERE store = ? AND object = ? AND job = ?", (job_id, store, key, row[0])
        )
    return str(row[1])


def keep_token(
    connection: sqlite3.Connection, job_id: int, store: str, key: str, token: str, place: Mapping[str, Any]
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO upload (store, object, job, token, place, begun) VALUES (?, ?, ?, ?, ?, ?)",
        (store, key, job_id, token, to_json(place), time.time()),
    )


def forget_token(connection: sqlite3.Connection, job_id: int, store: str, key: str) -> None:
    connection.execute("DELETE FROM upload WHERE store = ? AND object = ? AND job = ?", (store, key, job_id))


def forget_unowned_token(connection: sqlite3.Connection, upload: RememberedUpload) -> bool:
    """Forgets an upload before its parts are removed, so that no run begins to go on with it meanwhile. Returns False
    when a run may be doing so already."""
    return bool(
        connection.execute(
            """DELETE FROM upload WHERE store = ? AND object = ? AND job = ? AND token = ?
               AND NOT EXISTS (SELECT 1 FROM job WHERE id = upload.job AND owner IS NOT NULL)""",
            (upload.store, upload.key, upload.job_id, upload.token),
        ).rowcount
    )


def read_uploads(connection: sqlite3.Connection, job_id: int | None = None) -> list[RememberedUpload]:
    """Returns the uploads of one job, None: of all."""
    where, arguments = ("", ()) if job_id is None else ("WHERE upload.job = ?", (job_id,))
    rows = connection.execute(
        f"""SELECT upload.job, state, store, object, token, place, begun
            FROM upload JOIN job ON job.id = upload.job {where} ORDER BY upload.job, object""",
        arguments,
    )
    return [
        RememberedUpload(job, JobState(state), store, key, token, json.loads(place), begun)
        for job, state, store, key, token, place, begun in rows
    ]
