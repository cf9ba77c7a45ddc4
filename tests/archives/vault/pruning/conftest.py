"""A vault whose store is taken through time: what is written later is dated later, by as much as the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.pruning import ManifestReferences, PruneReceipt, prune_vault
from archive_tui.archives.vault.pruning.mark_book import MarkBook
from archive_tui.archives.vault.vault import Vault
from archive_tui.integrity.streams import Chunk
from archive_tui.manifests.checksum_lines import Dialect, format_line
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectStore, PutResult
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.archives.vault.conftest import VaultPlace, digest_of, write_files

DAY = 86400.0
GRACE = 14 * DAY

Step = Callable[[str, str], None]
"""Called with what is about to be done (`put`, `delete`, `info`, `list`) and its key."""


class TimedStore(WrappedStore):
    """`later` is added to the time of everything that is written from now on. `before` is called before each step,
    `after` behind it."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self.later = 0.0
        self.before: Step = lambda what, key: None
        self.after: Step = lambda what, key: None
        self._written: dict[tuple[str, str | None], float] = {}

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        self.before("put", key)
        done = super().put(key, chunks, size, **options)
        self._written[key, super().info(key).version] = self.later
        self.after("put", key)
        return done

    def delete(self, key: str) -> None:
        self.before("delete", key)
        super().delete(key)
        self.after("delete", key)

    def info(self, key: str) -> ObjectInfo:
        self.before("info", key)
        return self._dated(super().info(key))

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        self.before("list", prefix)
        for entry in super().list(prefix, recursive=recursive):
            is_dated = isinstance(entry, ObjectInfo) and entry.modified is not None
            yield self._dated(super().info(entry.key)) if is_dated else entry

    def _dated(self, info: ObjectInfo) -> ObjectInfo:
        later = self._written.get((info.key, info.version), 0.0)
        return replace(info, modified=None if info.modified is None else info.modified + later)


class Scene:
    """A vault with some contents, manifests that name them, and a clock that a test turns."""

    def __init__(self, place: VaultPlace, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self.store = TimedStore(place.store)
        self.vault = Vault(self.store, place.vault.prefix)
        self.book = MarkBook(self.vault)
        self.clock_here = 0.0

    @property
    def later(self) -> float:
        return self.store.later

    def wait(self, seconds: float) -> None:
        """Both clocks go on."""
        self.store.later += seconds
        self.clock_here += seconds

    def clock(self) -> float:
        import time

        return time.time() + self.clock_here

    def archive(self, contents: dict[str, bytes], vault: Vault | None = None) -> list[Outcome]:
        """Raises: what archiving raises."""
        manifest = write_files(self.folder / "files", contents)
        news = list(archive_manifest(manifest, vault or self.vault, root=self.folder / "files"))
        return [each.outcome for each in news if isinstance(each, LineResult)]

    def write_manifest(self, contents: dict[str, bytes], name: str = "keep.sha256") -> Path:
        path = self.folder / name
        lines = (format_line(Dialect.SHA256SUM, each, digest_of(content)) for each, content in contents.items())
        path.write_bytes(b"".join(lines))
        return path

    def prune(self, *manifests: Path, **options: Any) -> PruneReceipt:
        options = {"grace": GRACE, "clock": self.clock, **options}
        return prune_vault(options.pop("vault", self.vault), ManifestReferences(manifests), **options)

    def held(self) -> set[str]:
        prefix = self.vault.prefix
        return {entry.key[len(prefix) :].replace("/", "") for entry in self.place.store.list(prefix)}

    def digests(self, contents: dict[str, bytes]) -> set[str]:
        return {digest_of(content) for content in contents.values()}


@pytest.fixture
def scene(place: VaultPlace, tmp_path: Path) -> Scene:
    """For some stores only: `@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS], indirect=True)`."""
    return Scene(place, tmp_path)
