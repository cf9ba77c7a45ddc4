"""Retrieves a dataset out of a datasafe in a folder, with a journal in a file, for a test that kills it.

Arguments: the folder of the datasafe, the LOI, the folder to retrieve into, the file of the journal, and bytes per
second (0: as fast as it goes). Prints a line of JSON at its end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from archive_tui.archives.datasafe import retrieving
from archive_tui.operations.unpacking import continuation
from tests.archives.datasafe.test_retrieving import WatchedSafe
from tests.jobs.kinds.job_work import FileJournal


def main(root: str, loi: str, into: str, journal_path: str, speed: str) -> None:
    bytes_per_second = float(speed)
    continuation.POINT_BYTES = retrieving.KEPT_FROM = 1 << 20

    def wait(key: str, size: int) -> None:
        if bytes_per_second:
            time.sleep(size / bytes_per_second)

    safe = WatchedSafe(Path(root), wait)
    report = retrieving.retrieve_dataset(safe, loi, into=Path(into), journal=FileJournal(Path(journal_path))).report
    print(json.dumps([report.verdict, list(report.notes)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
