"""The whole way of a dataset, through the functions that every face uses, on every kind of store."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasets.catalog import (
    compare_versions,
    find_version,
    list_datasets,
    list_versions,
    read_side_manifest,
)
from archive_tui.archives.datasets.fetching import fetch_dataset
from archive_tui.archives.datasets.publishing import PublishRequest, plan_publish, publish
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.core import StorageClientABC, new_storage_client
from archive_tui.errors import ArchiveError, TargetExists
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import Verdict
from archive_tui.integrity.streams import read_chunks
from archive_tui.objects.object_store import ObjectStore
from tests.archives.faults.commands import run_program
from tests.archives.faults.places import (
    ALL,
    AZURITE,
    SEAWEEDFS,
    STRANGER,
    Place,
    make_place,
    tree_of,
    visible_keys,
    write_source,
)
from tests.servers.azurite import AzuriteServer
from tests.servers.s3_server import S3Server

PART_LIMIT = 64 << 20
"""Bytes; larger archives go in parts."""


def hash_object(store: ObjectStore, key: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with store.open(key) as reader:
        for chunk in read_chunks(reader):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def check_side_manifest(store: ObjectStore, name: str, version: str) -> None:
    """Fails unless the manifest beside the archive tells the digest and size of what is really stored."""
    side = read_side_manifest(store, f"{name}.{version}.manifest.json").archive
    assert side is not None
    assert (side.digest, side.size) == hash_object(store, side.key)
    assert side.key == f"{name}.{version}.zip"


@pytest.mark.parametrize("kind", ALL)
def test_publish_list_verify_change_publish_compare_fetch(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(kind, tmp_path / "place", request)
    source = write_source(tmp_path / "source", kind)
    before = tree_of(source)
    name = "winds" if kind == STRANGER else "lab/winds"  # this stranger makes no folders
    with place.open_store() as store:
        receipt = publish(store, plan_publish(store, PublishRequest(name, source)))
        assert (receipt.outcome, receipt.version, receipt.remarks) == ("published", "0.0.1", ())
        assert receipt.archive_digest == hash_object(store, f"{name}.0.0.1.zip")[0]
        assert receipt.evidence is not None and receipt.evidence.level >= EvidenceLevel.ATTESTED
        assert [(found.name, found.latest.version) for found in list_datasets(store)] == [(name, "0.0.1")]
        (source / "raw" / "added.csv").write_text("new\n")
        (source / "notes.md").write_text("# changed\n")
        (source / "raw" / "empty").unlink()
        assert publish(store, plan_publish(store, PublishRequest(name, source))).version == "0.0.2"
    with place.open_store() as store:  # another process, as it were
        for version in ("0.0.1", "0.0.2"):
            report, evidence = verify_version(store, name, version)
            assert report.verdict is Verdict.VERIFIED
            assert evidence.digest == hash_object(store, f"{name}.{version}.zip")[0]
            check_side_manifest(store, name, version)
        difference = compare_versions(store, name, "0.0.1", "latest")
        assert [entry.path for entry in difference.added] == ["raw/added.csv"]
        assert [entry.path for entry in difference.removed] == ["raw/empty"]
        assert len(difference.changed) == 1
        assert tree_of(fetch_dataset(store, name, into=tmp_path / "new").folder) == tree_of(source)
        assert tree_of(fetch_dataset(store, name, "0.0.1", into=tmp_path / "old").folder) == before
    assert [path for path in place.temporary_entries() if "/slot/" not in path] == []


@pytest.mark.parametrize("kind", ALL)
def test_upload_and_download_through_a_client(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(kind, tmp_path / "place", request)
    source = write_source(place.local_path / "winds", kind)
    client = new_storage_client("lab", place.settings)
    address = client.upload_dataset("winds")
    assert str(address).endswith("winds.0.0.1.zip")
    (source / "more.txt").write_text("more")
    client.upload_dataset("winds", "minor")
    assert client.ls_versions("winds") == ["0.0.1", "0.1.0"]
    assert client.ls() == [
        f"winds.{version}{end}" for version in ("0.0.1", "0.1.0") for end in (".manifest.json", ".zip")
    ]
    zip_bytes = (place.local_path / "winds.0.1.0.zip").read_bytes()
    assert hash_object(client.object_store, "winds.0.1.0.zip")[0] == hashlib.sha256(zip_bytes).hexdigest()
    check_side_manifest(client.object_store, "winds", "0.1.0")
    check_upload_is_refused(client, place)
    other = make_other_client(place, tmp_path / "elsewhere")
    folder = other.download_dataset("winds")
    assert folder == tmp_path / "elsewhere" / "winds.0.1.0"
    assert tree_of(folder) == tree_of(source)
    assert "more.txt" not in tree_of(other.download_dataset("winds", "0.0.1"))


def check_upload_is_refused(client: StorageClientABC, place: Place) -> None:
    """The second upload of a name is refused, and what lies there is still the first."""
    with pytest.raises(FileExistsError, match="overwrite=False"):
        client.upload("winds.0.1.0.zip")
    with pytest.raises(TargetExists):
        client.upload_dataset("winds", "0.1.0")
    assert (place.local_path / "winds.0.1.0.zip").exists()
    assert verify_version(client.object_store, "winds")[0].verdict is Verdict.VERIFIED


def make_other_client(place: Place, local_path: Path) -> Any:
    """A client of the same storage on another machine."""
    local_path.mkdir()
    text = place.settings.read_text().replace(f"local_path = {place.local_path}", f"local_path = {local_path}")
    (local_path / "settings.ini").write_text(text)
    return new_storage_client("lab", local_path / "settings.ini")


@pytest.mark.parametrize("kind", [SEAWEEDFS, AZURITE])
def test_a_large_archive_goes_in_parts(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(kind, tmp_path / "place", request)
    source = write_source(tmp_path / "source", kind, size=PART_LIMIT + (3 << 20))
    with place.open_store() as store:
        receipt = publish(store, plan_publish(store, PublishRequest("large", source)))
        assert receipt.archive_size > PART_LIMIT
        assert count_parts(request.getfixturevalue(kind), place, receipt.key) > 1
        assert (receipt.archive_digest, receipt.archive_size) == hash_object(store, receipt.key)
        check_side_manifest(store, "large", "0.0.1")
        assert tree_of(fetch_dataset(store, "large", into=tmp_path / "there").folder) == tree_of(source)


def count_parts(server: S3Server | AzuriteServer, place: Place, key: str) -> int:
    """Asks the server itself how many parts the object was made of."""
    if isinstance(server, AzuriteServer):
        with server.container_client(place.keys["container"]) as client:
            committed, _ = client.get_blob_client(key).get_block_list("committed")
            return len(committed)
    client = server.client()
    tag = client.head_object(Bucket=place.keys["bucket"], Key=key)["ETag"].strip('"')
    client.close()
    return int(tag.partition("-")[2] or 1)


def fill_bucket(server: S3Server, bucket: str, keys: list[str]) -> None:
    client = server.client()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=bucket, Key=key, Body=b""), keys))
    client.close()


@pytest.mark.parametrize("versions", [1_300, pytest.param(12_000, marks=pytest.mark.slow)])
def test_latest_and_listings_of_a_full_bucket(versions: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(SEAWEEDFS, tmp_path / "place", request)
    keys = [f"many.0.0.{number}.zip" for number in range(versions)]
    fill_bucket(request.getfixturevalue(SEAWEEDFS), place.keys["bucket"], keys)
    with place.open_store() as store:
        assert visible_keys(store) == sorted(keys)
        numbers = [version.number[2] for version in list_versions(store, "many")]
        assert numbers == list(range(versions))
        assert find_version(store, "many").version == f"0.0.{versions - 1}"
    client = new_storage_client("lab", place.settings)
    assert client.ls() == sorted(keys)
    assert (client.ls_versions("many") or [])[-1] == f"0.0.{versions - 1}"
    listed = run_program(place.folder, "ls", "lab", "--json")
    assert listed.status == 0, listed.err
    assert all(f'"{key}"' in listed.out for key in keys)
    source = write_source(tmp_path / "source", 1)
    with place.open_store() as store:
        with pytest.raises(ArchiveError):  # an empty object is no archive, and it is not taken for one
            fetch_dataset(store, "many", into=tmp_path / "there")
        receipt = publish(store, plan_publish(store, PublishRequest("many", source)))
        assert receipt.version == f"0.0.{versions}"
        assert verify_version(store, "many")[0].verdict is Verdict.VERIFIED


def test_a_stranger_is_reached_from_the_command_line(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(STRANGER, tmp_path / "place", request)
    write_source(place.local_path / "winds", 1)
    assert run_program(place.folder, "dataset", "publish", "lab", "winds").status == 0
    assert run_program(place.folder, "dataset", "verify", "lab", "winds").status == 0


def test_a_stranger_that_makes_no_folders_is_said_to_have_failed(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(STRANGER, tmp_path / "place", request)
    source = write_source(tmp_path / "source", 1)
    finished = run_program(place.folder, "dataset", "publish", "lab", "sub/winds", "--source", str(source))
    finished.check_refusal("stored nothing", "without")
    with place.open_store() as store:
        assert visible_keys(store) == []
