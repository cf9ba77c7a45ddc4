"""Where the tests keep the tokens of unfinished uploads: in memory, or in a file that survives the process."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path


class KeptTokens:
    """`by_place` has the tokens by identity and key; `kept` and `forgotten` count the calls."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.kept = self.forgotten = 0
        self.by_place: dict[tuple[str, str], str] = {}
        if path is not None and path.exists():
            self.by_place = {(identity, key): token for identity, key, token in json.loads(path.read_text())}

    def find(self, identity: str, key: str) -> str | None:
        with self._lock:
            return self.by_place.get((identity, key))

    def keep(self, identity: str, key: str, token: str) -> None:
        with self._lock:
            self.kept += 1
            self.by_place[identity, key] = token
            self._write()

    def forget(self, identity: str, key: str) -> None:
        with self._lock:
            self.forgotten += 1
            self.by_place.pop((identity, key), None)
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        with new.open("w") as file:
            json.dump([[*place, token] for place, token in self.by_place.items()], file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
