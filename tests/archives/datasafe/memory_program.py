"""Does one thing with a datasafe in a folder, and prints the most memory, in KiB, that the process had.

Arguments: `deposit`, `update` or `retrieve`, the root, the LOI, and the folder to take from or to retrieve into.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.retrieving import retrieve_dataset
from archive_tui.integrity.report import Verdict


def main(act: str, root: str, loi: str, folder: str) -> None:
    with open_folder_safe(Path(root)) as safe:
        if act == "retrieve":
            retrieved = retrieve_dataset(safe, loi, into=Path(folder))
            assert retrieved.report.verdict is Verdict.VERIFIED
        else:
            put = safe.update if act == "update" else safe.deposit
            put(loi, prepare_deposit(Path(folder), loi=loi).chunks())
    # Not by getrusage, which begins with what the parent has.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    sys.stdout.write(found[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
