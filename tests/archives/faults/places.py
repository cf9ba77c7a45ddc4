"""Places to publish to: a fresh, empty storage `lab` on each kind of store, reached as a user's settings reach it."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasets.catalog import list_versions
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.archives.storages import open_storage
from archive_tui.integrity.report import Verdict
from archive_tui.names.object_keys import TEMPORARY_PREFIX
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.settings import load_settings
from tests.servers.azurite import AzuriteServer
from tests.servers.s3_server import S3Server

FOLDER, MOTO, SEAWEEDFS, RCLONE = "folder", "moto_server", "seaweedfs_server", "rclone_server"
AZURITE, STRANGER = "azurite_server", "stranger"
ALL = (FOLDER, MOTO, SEAWEEDFS, RCLONE, AZURITE, STRANGER)
CREATE_ONLY = (FOLDER, SEAWEEDFS, AZURITE)
"""One of each kind that refuses a second put by itself, on a server that other processes reach."""


@dataclass(frozen=True)
class Place:
    """`folder` is where commands run: `settings.ini` with the section `lab`, and `work`, its local_path. `keys` are
    those of the section."""

    kind: str
    folder: Path
    keys: dict[str, str]

    @property
    def settings(self) -> Path:
        return self.folder / "settings.ini"

    @property
    def local_path(self) -> Path:
        return self.folder / "work"

    @property
    def archive(self) -> Path:
        """The folder of a place that is one."""
        return self.folder / "archive"

    def open_store(self) -> ObjectStore:
        """Returns a store of its own, as another process would have. Close it."""
        return open_storage(load_settings(self.settings), "lab").store

    def temporary_entries(self) -> list[str]:
        return sorted(str(path) for path in self.folder.rglob(f"{TEMPORARY_PREFIX}*"))


def make_place(kind: str, folder: Path, request: pytest.FixtureRequest) -> Place:
    """Makes an empty place below `folder`, which may be a new folder."""
    (folder / "work").mkdir(parents=True)
    keys = _keys_of(kind, folder, request)
    place = Place(kind, folder, keys)
    lines = (f"{key} = {value}\n" for key, value in {"local_path": str(folder / "work"), **keys}.items())
    place.settings.write_text("[lab]\n" + "".join(lines))
    return place


def _keys_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    if kind == FOLDER:
        return {"storage_client": "archive_tui.core.LocalStorageClient", "storage_area": str(folder / "archive")}
    if kind == STRANGER:
        (folder / "slot").mkdir()
        return {"storage_client": "tests.archives.test_strangers_client.TapeRobot", "slot": str(folder / "slot")}
    server: Any = request.getfixturevalue(kind)
    if isinstance(server, AzuriteServer):
        keys = {"conn_str": server.conn_str, "container": server.new_container()}
        return {"storage_client": "archive_tui.core.AzureStorageClient", **keys}
    assert isinstance(server, S3Server)
    keys = {"bucket": server.new_bucket(), **server.settings()}
    return {"storage_client": "archive_tui.core.AwsStorageClient", **keys}


def write_source(folder: Path, seed: int | str, *, size: int = 200_000) -> Path:
    """Writes a small tree whose bytes follow from `seed`; `size` bytes of it cannot be compressed."""
    chance = random.Random(str(seed))
    (folder / "raw" / "deep").mkdir(parents=True)
    (folder / "notes.md").write_text(f"# station {seed}\n")
    (folder / "raw" / "table.csv").write_text("".join(f"{seed},{number}\n" for number in range(2000)))
    (folder / "raw" / "empty").write_bytes(b"")
    (folder / "raw" / "deep" / "noise.bin").write_bytes(chance.randbytes(size))
    return folder


def tree_of(folder: Path) -> dict[str, str]:
    """Returns the digest of each file of the data, by its path."""
    files = (path for path in folder.rglob("*") if path.is_file() and path != folder / "manifest.json")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def visible_keys(store: ObjectStore) -> list[str]:
    return sorted(listed.key for listed in store.list() if isinstance(listed, ObjectInfo))


def check_only_whole_versions(store: ObjectStore, name: str) -> list[str]:
    """Returns the versions; fails when one of them does not verify, or when anything else is visible."""
    versions = [version.version for version in list_versions(store, name)]
    for version in versions:
        report, _ = verify_version(store, name, version)
        assert report.verdict is Verdict.VERIFIED, (version, report.findings)
    allowed = {f"{name}.{version}{suffix}" for version in versions for suffix in (".zip", ".manifest.json")}
    assert set(visible_keys(store)) <= allowed
    return versions
