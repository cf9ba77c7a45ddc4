"""Fetches the lines of a manifest out of a vault in a folder, with a journal in a file, for a test that kills it.

Arguments: the folder of the vault, the manifest, the folder to fetch into, the file of the journal, and bytes per
second (0: as fast as it goes).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from archive_tui.archives.vault.fetching import fetch_manifest
from archive_tui.archives.vault.vault import Vault
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectReader, ObjectStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.jobs.kinds.job_work import FileJournal


class WatchedStore(WrappedStore):
    """Counts the bytes that are read from each key; `passed` is told of every block before it is handed on."""

    def __init__(self, inner: ObjectStore, passed: Callable[[str, int], None] = lambda key, size: None) -> None:
        super().__init__(inner)
        self.read_bytes: dict[str, int] = {}
        self._passed = passed

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        return _WatchedReader(super().open(key, offset, length), self, key)

    def count(self, key: str, size: int) -> None:
        self.read_bytes[key] = self.read_bytes.get(key, 0) + size
        self._passed(key, size)


class _WatchedReader:
    def __init__(self, reader: ObjectReader, store: WatchedStore, key: str) -> None:
        self._reader, self._store, self._key = reader, store, key

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    def read(self, size: int = -1) -> bytes:
        content = self._reader.read(size)
        self._store.count(self._key, len(content))
        return content

    def close(self) -> None:
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def main(folder: str, document: str, root: str, journal: str, speed: str) -> None:
    def wait(key: str, size: int) -> None:
        if float(speed):
            time.sleep(size / float(speed))

    store = WatchedStore(FolderStore(Path(folder)), wait)
    with open_manifest(document, root=Path(root)) as manifest:
        for news in fetch_manifest(manifest, Vault(store), root=Path(root), journal=FileJournal(Path(journal))):
            print(news[1], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
