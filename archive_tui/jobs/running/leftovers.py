"""What a job that is over has left in stores and folders, uploads in parts and stages, and how it is removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from archive_tui.archives.vault.unfinished_parts import PARTS, remove_unfinished_parts
from archive_tui.errors import ArchiveError
from archive_tui.jobs.places import OpenedPlace
from archive_tui.jobs.queue.marks import load_saved, write_saved
from archive_tui.jobs.queue.memory_database import JobDatabase
from archive_tui.jobs.queue.transitions import append_log
from archive_tui.jobs.queue.uploads import RememberedUpload, forget_unowned_token, keep_token, read_uploads
from archive_tui.objects.folder.kept_stage import remove_kept_stage
from archive_tui.objects.unfinished import UnfinishedUpload

STAGE = "stage"
"""The name under which an operation saves where it unpacks."""

OpenPlace = Callable[[Mapping[str, Any]], OpenedPlace]


def remove_leftovers(database: JobDatabase, job_id: int, open_place: OpenPlace) -> int:
    """Removes what a job has left, and returns how many things that were. What cannot be removed now is told in its
    log, and stays remembered."""
    uploads: list[RememberedUpload] = database.read(lambda connection: read_uploads(connection, job_id), [])
    if is_owned(database, job_id):
        return 0
    removed = sum(discard_upload(database, upload, open_place) for upload in uploads)
    return removed + remove_stage(database, job_id) + remove_parts(database, job_id)


def discard_upload(database: JobDatabase, upload: RememberedUpload, open_place: OpenPlace) -> bool:
    """Removes the parts that lie in the store. Returns False when that failed, or somebody goes on with the upload."""
    forgotten = database.transact(lambda connection: forget_unowned_token(connection, upload), durable=True)
    if forgotten is None or not forgotten.value:
        return False
    try:
        place = open_place(upload.place)
        try:
            place.store.discard_unfinished(UnfinishedUpload(upload.key, upload.token, upload.begun))
        finally:
            place.store.close()
    except ArchiveError as error:
        text = f"An unfinished upload could not be removed: {upload.key}: {error.message}"
        database.transact(lambda connection: _remember(connection, upload, text), durable=True)
        return False
    return True


def _remember(connection: sqlite3.Connection, upload: RememberedUpload, text: str) -> None:
    keep_token(connection, upload.job_id, upload.store, upload.key, upload.token, upload.place)
    append_log(connection, upload.job_id, text)


def is_owned(database: JobDatabase, job_id: int) -> bool:
    """True while a worker runs the job: what it has is no leftover."""
    row = database.read(
        lambda connection: connection.execute("SELECT owner FROM job WHERE id = ?", (job_id,)).fetchone(), None
    )
    return row is not None and row[0] is not None


def remove_stage(database: JobDatabase, job_id: int) -> bool:
    """Removes the folder that a job has unpacked to; False when there is none, or it could not be removed."""
    token = database.read(lambda connection: load_saved(connection, job_id, STAGE), None)
    if token is None or not remove_kept_stage(token):
        return False
    database.transact(lambda connection: write_saved(connection, job_id, STAGE, None))
    return True


def remove_parts(database: JobDatabase, job_id: int) -> bool:
    """Removes the begun parts of large files that a job was fetching; False when there are none, or some stay."""
    note = database.read(lambda connection: load_saved(connection, job_id, PARTS), None)
    if note is None:
        return False
    left = remove_unfinished_parts(note)
    database.transact(lambda connection: write_saved(connection, job_id, PARTS, left))
    return left is None
