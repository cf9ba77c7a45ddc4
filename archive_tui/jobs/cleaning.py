"""What jobs have left behind, and whether it can go: unfinished uploads, and folders in which a fetch was unpacking.

A job that may still go on keeps what it has. What was begun by somebody else, or by a job that nobody remembers, is
only named, unless the caller says from which age on it is nobody's.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archive_tui.archives.vault.unfinished_parts import PARTS
from archive_tui.jobs.places import open_place
from archive_tui.jobs.queue.job_queue import JobQueue
from archive_tui.jobs.queue.marks import prune_marks
from archive_tui.jobs.queue.uploads import RememberedUpload, read_uploads
from archive_tui.jobs.running.leftovers import STAGE, remove_leftovers
from archive_tui.jobs.states import JobState
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.unfinished import UnfinishedUpload

DAY = 86400.0

_OVER = frozenset({JobState.VERIFIED, JobState.COPIED, JobState.FINISHED, JobState.CANCELLED})
"""Nobody continues these; a failed one is continued by a retry."""


@dataclass(frozen=True, slots=True)
class JobLeftovers:
    """What one job has left. `has_stage`: a folder that it unpacks to, or begun parts of large files. `ended_at` in
    seconds since the epoch, None: it has not ended."""

    job_id: int
    title: str
    state: JobState
    ended_at: float | None
    uploads: tuple[RememberedUpload, ...]
    has_stage: bool


@dataclass(frozen=True, slots=True)
class StrangeUpload:
    """An unfinished upload of which no job knows. `is_removable`: it is older than the caller's limit."""

    upload: UnfinishedUpload
    is_removable: bool


def find_leftovers(queue: JobQueue) -> list[JobLeftovers]:
    """Returns what all jobs have left, in the order of their numbers. Nobody but the database is asked."""
    found: list[JobLeftovers] = queue.disk.read(_read_leftovers, []) if queue.disk is not None else []
    return found


def can_go(left: JobLeftovers, *, older_than: float | None = None) -> bool:
    """`older_than` in days: so long must a job have been over that failed or has findings; None: those keep theirs."""
    if left.state in _OVER:
        return True
    return left.state.is_end and older_than is not None and _is_older(left.ended_at, older_than)


def clean_job(queue: JobQueue, left: JobLeftovers) -> int:
    """Removes what the job has left; returns how many things that were. What could not be removed is told in its log
    and stays remembered. Raises: nothing of the stores."""
    return 0 if queue.disk is None else remove_leftovers(queue.disk, left.job_id, open_place)


def forget_items(queue: JobQueue, keep_days: float) -> int:
    """Forgets the single items of jobs that ended more than so many days ago, and returns how many. The jobs stay
    listed, and their receipts say that the items are not kept any more."""
    before = time.time() - keep_days * DAY
    done = [database.transact(lambda connection: prune_marks(connection, before)) for database in queue.databases]
    return sum(each.value for each in done if each is not None)


def find_strange_uploads(
    store: ObjectStore, known: Sequence[JobLeftovers], *, older_than: float | None = None
) -> Iterator[StrangeUpload]:
    """Yields the unfinished uploads in a store that no job of this user knows. `older_than` in days; None: none of
    them can be removed, and neither can one whose age the store does not tell.

    Raises: what the store raises.
    """
    tokens = {(upload.key, upload.token) for left in known for upload in left.uploads}
    keys = {upload.key for left in known for upload in left.uploads if upload.store == store.identity}
    for upload in store.list_unfinished():
        if upload.key in keys or (upload.key, upload.token) in tokens:
            continue
        yield StrangeUpload(upload, older_than is not None and _is_older(upload.begun, older_than))


def _is_older(moment: float | None, days: float) -> bool:
    return moment is not None and time.time() - moment > days * DAY


def _read_leftovers(connection: sqlite3.Connection) -> list[JobLeftovers]:
    uploads: dict[int, list[RememberedUpload]] = {}
    for upload in read_uploads(connection):
        uploads.setdefault(upload.job_id, []).append(upload)
    stages = {row[0] for row in connection.execute("SELECT job FROM saved WHERE name IN (?, ?)", (STAGE, PARTS))}
    found = []
    for job_id in sorted({*uploads, *stages}):
        row = connection.execute("SELECT title, state, ended_at FROM job WHERE id = ?", (job_id,)).fetchone()
        if row is not None:
            kept = tuple(uploads.get(job_id, ()))
            found.append(JobLeftovers(job_id, row[0], JobState(row[1]), row[2], kept, job_id in stages))
    return found
