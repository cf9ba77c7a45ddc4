"""An empty vault on each kind of store, files to archive in it, and a hand that changes objects behind its back."""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.vault.vault import Vault
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from tests.servers.azurite import AzuriteServer
from tests.servers.s3_server import S3Server

MEMORY, FOLDER, MOTO, SEAWEEDFS, RCLONE, AZURITE = "memory", "folder", "moto", "seaweedfs", "rclone", "azurite"
ALL_KINDS = (MEMORY, FOLDER, MOTO, SEAWEEDFS, RCLONE, AZURITE)
ATTESTING = (MEMORY, SEAWEEDFS)
"""Stores that say themselves which digest an object has."""
RECORDING = (MOTO, RCLONE, AZURITE)
"""Stores that keep the digest that the writer noted beside an object, and nothing of their own."""

Overwrite = Callable[[str, bytes], None]


@dataclass(frozen=True)
class VaultPlace:
    """`overwrite(key, content)` puts other bytes under a key of the vault's store, past the store's guarantees: on S3
    with their SHA-256, as a careless program does. `settings` are the keys of a storage section that reaches it."""

    kind: str
    vault: Vault
    overwrite: Overwrite
    settings: dict[str, str]

    @property
    def store(self) -> ObjectStore:
        return self.vault.store

    def spoil(self, digest: str, content: bytes = b"other bytes") -> str:
        """Puts other bytes under the digest; returns the digest of these."""
        self.overwrite(self.vault.key(digest), content)
        return hashlib.sha256(content).hexdigest()

    def keys(self) -> list[str]:
        return sorted(entry.key for entry in self.store.list())

    def with_store(self, wrap: Callable[[ObjectStore], ObjectStore]) -> Vault:
        """The same vault seen through a wrapper of its store."""
        return replace(self.vault, store=wrap(self.store))


_places: dict[str, str] = {}


def _container_of(server: S3Server | AzuriteServer, name: str) -> str:
    """One bucket for all tests of a server: a probe is worth a dozen requests; each test has a prefix in it."""
    if name not in _places:
        _places[name] = server.new_bucket() if isinstance(server, S3Server) else server.new_container()
    return _places[name]


def _folder_place(root: Path) -> VaultPlace:
    from archive_tui.objects.folder.store import FolderStore

    def overwrite(key: str, content: bytes) -> None:
        path = root / key
        path.chmod(0o644)
        path.write_bytes(content)

    keys = {"storage_client": "archive_tui.core.LocalStorageClient", "storage_area": str(root)}
    return VaultPlace(FOLDER, Vault(FolderStore(root)), overwrite, keys)


def _memory_place() -> VaultPlace:
    store = MemoryStore(f"memory-{uuid.uuid4().hex}")

    def overwrite(key: str, content: bytes) -> None:
        store.put(key, [content], overwrite=True)

    return VaultPlace(MEMORY, Vault(store), overwrite, {})


def _s3_place(kind: str, server: S3Server, sent_to: str | None = None) -> VaultPlace:
    from archive_tui.objects.s3 import S3Store

    bucket, prefix = _container_of(server, kind), uuid.uuid4().hex[:12]
    settings: dict[str, Any] = server.settings() | ({"endpoint_url": sent_to} if sent_to else {})

    def overwrite(key: str, content: bytes) -> None:
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        client = server.client()
        client.put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=content, ChecksumSHA256=checksum)
        client.close()

    keys = {"storage_client": "archive_tui.core.AwsStorageClient", "bucket": bucket, "prefix": prefix, **settings}
    return VaultPlace(kind, Vault(S3Store(bucket, prefix=prefix, **settings)), overwrite, keys)


def _azure_place(server: AzuriteServer) -> VaultPlace:
    from archive_tui.objects.azure.store import AzureStore

    container, prefix = _container_of(server, AZURITE), uuid.uuid4().hex[:12]

    def overwrite(key: str, content: bytes) -> None:
        with server.container_client(container) as client:
            client.upload_blob(f"{prefix}/{key}", content, overwrite=True)

    access = {"container": container, "prefix": prefix, "conn_str": server.conn_str}
    keys = {"storage_client": "archive_tui.core.AzureStorageClient", **access}
    return VaultPlace(AZURITE, Vault(AzureStore(**access)), overwrite, keys)


def make_vault_place(
    kind: str, folder: Path, request: pytest.FixtureRequest, *, sent_to: str | None = None
) -> VaultPlace:
    """Makes an empty vault; `folder` is for one that lies in a folder. `sent_to`: the address of a proxy before an S3
    server. Close its store."""
    if kind == MEMORY:
        return _memory_place()
    if kind == FOLDER:
        return _folder_place(folder / "vault")
    server: Any = request.getfixturevalue(f"{kind}_server")
    return _azure_place(server) if isinstance(server, AzuriteServer) else _s3_place(kind, server, sent_to)


@pytest.fixture(params=ALL_KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VaultPlace]:
    """An empty vault. For some stores only: `@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS], indirect=True)`."""
    made = make_vault_place(request.param, tmp_path, request)
    yield made
    made.store.close()


@dataclass(frozen=True)
class FakeManifest:
    """What a run needs of an open manifest, without a document."""

    news: tuple[Any, ...]
    where: str = "files.txt"

    def lines(self) -> Iterator[Any]:
        return iter(self.news)

    def count_lines(self) -> int:
        return len(self.news)


def manifest_of(lines: Iterable[Any]) -> FakeManifest:
    return FakeManifest(tuple(lines))


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_files(root: Path, contents: dict[str, bytes]) -> FakeManifest:
    """Writes the files below `root`; returns a manifest that lists them in this order, without sizes."""
    lines = []
    for number, (name, content) in enumerate(contents.items(), 1):
        path = os.path.join(os.fsencode(root), os.fsencode(name))  # noqa: PTH118  (names that are no UTF-8)
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(content)
        lines.append(ManifestLine(number, name, digest_of(content)))
    return manifest_of(lines)


def small_contents(count: int, seed: str = "file") -> dict[str, bytes]:
    """Names and contents, all different."""
    return {f"data/{seed}-{number:05}.txt": f"{seed} {number}\n".encode() * 3 for number in range(count)}
