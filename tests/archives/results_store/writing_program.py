"""Checks files into a results store, one after the other, and says after each that it is in.

`python -m tests.archives.results_store.writing_program SETTINGS PREFIX WRITER COUNT`
"""

from __future__ import annotations

import sys
from pathlib import Path

from archive_tui.archives.results_store.opening import open_results_store
from archive_tui.archives.storages import open_storage
from archive_tui.settings import load_settings


def main(settings: str, prefix: str, writer: str, count: int) -> None:
    store = open_storage(load_settings(Path(settings)), "lab").store
    with open_results_store(store, prefix) as results:
        for number in range(count):
            name = f"{writer}-{number}"
            results.add("e", f"p{number % 3}", [name.encode()], name=name)
            print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
