"""Verifies or fetches a dataset out of a folder, with a journal in a file, for a test that kills it.

Arguments: what to do (verify, fetch, folder), the folder of the store (or that to verify), the folder to fetch into,
the file of the journal, bytes per second (0: as fast as it goes), and bytes between two points of an archive. Prints a
line of JSON at its end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from archive_tui.archives.datasets.fetching import fetch_dataset
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations.unpacking import continuation
from archive_tui.operations.verifying import verify_folder
from archive_tui.progress import BytesDone, Event
from tests.archives.vault.fetch_program import WatchedStore
from tests.jobs.kinds.job_work import FileJournal

NAME = "large"


def main(action: str, folder: str, into: str, journal_path: str, speed: str, every: str) -> None:
    bytes_per_second = float(speed)
    continuation.POINT_BYTES = int(every)

    def wait(key: str, size: int) -> None:
        if bytes_per_second:
            time.sleep(size / bytes_per_second)

    def pace(event: Event) -> None:
        if bytes_per_second and isinstance(event, BytesDone):
            time.sleep(0.05)

    store = WatchedStore(FolderStore(Path(folder)), wait)
    journal = FileJournal(Path(journal_path))
    if action == "fetch":
        report = fetch_dataset(store, NAME, into=Path(into), journal=journal).report
    elif action == "verify":
        report, _ = verify_version(store, NAME, journal=journal)
    else:
        report = verify_folder(Path(folder), journal=journal, report=pace)
    read = store.read_bytes.get(f"{NAME}.0.0.1.zip", 0)
    print(json.dumps([report.verdict, report.files_ok, report.bytes_read, read, list(report.notes)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
