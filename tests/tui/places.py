"""Locations for the tests of the panes: any store, without settings and without a network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from archive_tui.objects.object_store import ObjectStore


@dataclass(frozen=True)
class FakeStorage:
    name: str
    kind: str = "folder"


@dataclass(frozen=True)
class FakeLocation:
    """Quacks like archives.locations.Location."""

    store: ObjectStore
    prefix: str = ""
    storage: FakeStorage | None = None
    folder: Path | None = None
    views: tuple[str, ...] = ("objects",)
    document: Path | None = None
    vault: None = None
    vault_prefix: str = "object/"

    @property
    def title(self) -> str:
        if self.storage is not None:
            return f"{self.storage.name} ▸ {self.prefix}" if self.prefix else self.storage.name
        return str(self.folder)

    @property
    def word(self) -> str:
        if self.storage is not None:
            return f"{self.storage.name}:{self.prefix}" if self.prefix else self.storage.name
        return str(self.folder)

    @property
    def parent(self) -> FakeLocation | None:
        return self._at(self.prefix.rstrip("/").rpartition("/")[0]) if self.prefix else None

    @property
    def name_in_parent(self) -> str:
        return self.prefix.removeprefix(self.parent.prefix) if self.parent is not None else ""

    def child(self, name: str) -> FakeLocation:
        return self._at(self.key(name))

    def key(self, name: str) -> str:
        return f"{self.prefix}{name.rstrip('/')}"

    def _at(self, key: str) -> FakeLocation:
        folder = Path("/") / key if self.folder is not None else None
        return dataclasses.replace(self, prefix=f"{key}/" if key else "", folder=folder)
