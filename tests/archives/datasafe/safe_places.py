"""Fresh, empty datasafes on each kind of store, opened as another process would open them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasafe.manifest_check import FileDigests, make_manifest
from archive_tui.archives.datasafe.opening import open_store_safe
from archive_tui.archives.datasafe.safe import Safe, StoredArchive
from archive_tui.integrity.streams import read_chunks
from archive_tui.manifests.datasafe_manifest import (
    MANIFEST_FILE,
    DatasafeManifest,
    MetadataFile,
    format_datasafe_manifest,
)
from archive_tui.names.object_keys import TEMPORARY_PREFIX
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from tests.archives.faults.places import AZURITE, FOLDER, MOTO, SEAWEEDFS, Place, make_place

PARENT = "42.1001/ds/exp/sa/42/cwepr"
MEMORY = "memory"
QUICK = (FOLDER, MEMORY)
EVERY = (FOLDER, MEMORY, MOTO, SEAWEEDFS, AZURITE)
PREFIX = "lab/safe"
"""Below it lie the datasafes in stores that are not a folder."""

FILES = {
    "b.dat": b"3340.1 0.02\n" * 4000,
    "a.info": b"cwEPR Info file - v. 0.1.4 (2020-01-21)\n\nGENERAL\n",
    "deep/empty": b"",
}


@dataclass
class SafePlace:
    """`place` is where commands run, and names the storage `lab`; `memory` stands in for it."""

    kind: str
    place: Place
    memory: MemoryStore = field(default_factory=MemoryStore)

    def open_store(self) -> ObjectStore:
        return self.memory if self.kind == MEMORY else self.place.open_store()

    def open(self, **options: Any) -> Safe:
        return open_store_safe(self.open_store(), PREFIX, **options)

    def everything(self) -> dict[str, str]:
        """The digest of all that lies there, hidden or not, by its key or path."""
        if self.kind == FOLDER:
            root = self.place.archive
            files = (path for path in root.rglob("*") if path.is_file())
            return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        with self.open_store() as store:
            return {listed.key: hashlib.sha256(read_object(store, listed.key)).hexdigest() for listed in store.list()}

    def temporary_entries(self) -> list[str]:
        """Below the place and in the folder for temporary files, which lies there too."""
        return sorted(str(path) for path in self.place.folder.rglob(f"{TEMPORARY_PREFIX}*"))


def make_safe_place(
    kind: str, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> SafePlace:
    place = make_place(FOLDER if kind == MEMORY else kind, folder, request)
    temporary = folder / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    return SafePlace(kind, place)


def manifest_of(loi: str, files: Mapping[str, bytes], metadata: Sequence[str] = ()) -> DatasafeManifest:
    digests = [
        FileDigests(path, len(content), hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest())
        for path, content in files.items()
    ]
    return make_manifest(loi, digests, metadata=[MetadataFile(name) for name in metadata])


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """A zip as some other program packs it: compressed, in no order."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return stream.getvalue()


def pack_dataset(loi: str, files: Mapping[str, bytes], metadata: Sequence[str] = ()) -> bytes:
    return pack_files({**files, MANIFEST_FILE: format_datasafe_manifest(manifest_of(loi, files, metadata))})


@contextmanager
def deposited(place: SafePlace, files: Mapping[str, bytes] = FILES, **options: Any) -> Iterator[tuple[Safe, str]]:
    """A datasafe with one dataset, and its LOI."""
    with place.open(**options) as safe:
        loi = safe.reserve(PARENT)
        safe.deposit(loi, [pack_dataset(loi, files)])
        yield safe, loi


def read_object(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as reader:
        return b"".join(read_chunks(reader))


def read_archive(archive: StoredArchive) -> bytes:
    return read_object(archive.store, archive.key)


def unpack(content: bytes) -> dict[str, bytes]:
    """The files of an archive but its manifest, by path, read by the zip reader of the standard library."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist() if name != "MANIFEST.yaml"}


def held_files(safe: Safe, loi: str, old: int | None = None) -> dict[str, bytes]:
    """The files of a dataset; fails unless the archive has the size and digest that it should have."""
    archive = safe.archive(loi, old=old)
    content = read_archive(archive)
    assert len(content) == archive.size
    assert archive.digest in (None, hashlib.sha256(content).hexdigest())
    return unpack(content)
