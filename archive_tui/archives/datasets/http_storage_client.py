"""The storage client for a datasafe over HTTP: its datasets as read-only archives, under their LOIs."""

from __future__ import annotations

from typing import Any

from archive_tui.archives.datasets.store_clients import StoreClient
from archive_tui.errors import ConfigurationError
from archive_tui.objects.object_store import ObjectStore


class HttpStorageClient(StoreClient):
    """A datasafe behind an address. Keys: `url`, `token` or `token_file`. Files are the archives of the datasets, named
    LOI.zip; datasets are reserved and deposited through the safe (`archive-tui safe`), so `upload` raises. `local_path`
    may be left out: then it is the current folder."""

    known_keys = (*StoreClient.known_keys, "url", "token", "token_file")

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__({"local_path": ".", **config})

    def _make_store(self) -> ObjectStore:
        from archive_tui.objects.http import HttpStore
        from archive_tui.objects.http.tokens import find_token

        url = self.config.get("url")
        if not url:
            raise ConfigurationError("The setting 'url' is missing.", hint="Write the address of the server.")
        return HttpStore(str(url), find_token(self.config))

    def _address(self, filename: str) -> Any:
        return f"{self.object_store.label}:{filename}"  # unreachable: the store refuses every put
