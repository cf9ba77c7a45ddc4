"""Each way in which the first implementation of versioned datasets failed, as a test that this one passes."""

from __future__ import annotations

import json
import threading
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_tui.core import AwsStorageClient, LocalStorageClient, check_archive, make_or_update_manifest, sha256
from archive_tui.errors import HostileArchive, InvalidName, StorageUnavailable
from tests.contracts.test_dataset_clients import make_files
from tests.servers.s3_server import S3Server


@pytest.fixture
def client(tmp_path: Path) -> LocalStorageClient:
    (tmp_path / "files").mkdir()
    return LocalStorageClient({"local_path": str(tmp_path / "files"), "storage_area": str(tmp_path / "area")})


@pytest.fixture
def s3_client(tmp_path: Path, moto_server: S3Server) -> Iterator[AwsStorageClient]:
    (tmp_path / "files").mkdir(exist_ok=True)
    client = AwsStorageClient(
        {
            "storage_client": "archive_tui.core.AwsStorageClient",
            "local_path": str(tmp_path / "files"),
            "bucket": moto_server.new_bucket(),
            **moto_server.settings(),
        }
    )
    yield client
    client.object_store.close()


def test_s3_listing_goes_on_after_1000_keys_and_shows_empty_objects(
    s3_client: AwsStorageClient, moto_server: S3Server
) -> None:
    boto = moto_server.client()
    bucket = s3_client.config["bucket"]
    for number in range(1005):
        boto.put_object(Bucket=bucket, Key=f"d.0.0.{number}.zip", Body=b"")
    boto.put_object(Bucket=bucket, Key="folder/", Body=b"")
    assert len(s3_client.ls()) == 1005
    assert (s3_client.ls_versions("d") or [])[-1] == "0.0.1004"


def test_s3_never_replaces_a_published_version(s3_client: AwsStorageClient) -> None:
    make_files(s3_client.local_path, f="one")
    assert s3_client.upload("f") == f"archive_tui.core.AwsStorageClient:{s3_client.config['bucket']}:f"
    make_files(s3_client.local_path, f="two")
    with pytest.raises(FileExistsError, match="overwrite=False"):
        s3_client.upload("f")
    s3_client.download("f", overwrite=True)
    assert (s3_client.local_path / "f").read_text() == "one"


def test_two_publishers_cannot_take_the_same_version(tmp_path: Path) -> None:
    outcomes: list[object] = []
    barrier = threading.Barrier(8)

    def publish(number: int) -> None:
        local = tmp_path / f"publisher-{number}"
        make_files(local / "d", a=str(number))
        client = LocalStorageClient({"local_path": str(local), "storage_area": str(tmp_path / "area")})
        barrier.wait()
        try:
            outcomes.append(client.upload_dataset("d", "1.0.0"))
        except FileExistsError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([outcome for outcome in outcomes if isinstance(outcome, Path)]) == 1
    assert len(outcomes) == 8


def test_memory_does_not_grow_with_the_file(client: LocalStorageClient) -> None:
    size = 96 << 20
    (client.local_path / "d").mkdir()
    with (client.local_path / "d/large").open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        client.upload_dataset("d")
        client.download_dataset("d", overwrite=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 2


def test_the_compression_level_comes_as_text_and_is_nobody_elses(client: LocalStorageClient, tmp_path: Path) -> None:
    before = zlib.Z_DEFAULT_COMPRESSION
    client.config["compression_level"] = "0"
    make_files(client.local_path / "d", a="x" * 100_000)
    client.upload_dataset("d")
    assert (tmp_path / "area/d.0.0.1.zip").stat().st_size > 100_000
    client.config["compression_level"] = "9"
    client.upload_dataset("d")
    assert (tmp_path / "area/d.0.0.2.zip").stat().st_size < 5_000
    assert before == zlib.Z_DEFAULT_COMPRESSION


def test_a_failed_upload_leaves_nothing_and_is_simply_repeated(
    client: LocalStorageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(client.local_path / "d", a="1")

    def fail(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(client, "upload", fail)
        with pytest.raises(StorageUnavailable):
            client.upload_dataset("d")
    assert client.ls("local_path") == ["d/a"]
    assert client.ls() == []
    assert client.upload_dataset("d") == tmp_path / "area/d.0.0.1.zip"


def test_updating_a_manifest_never_lists_itself_and_keeps_unknown_keys(tmp_path: Path) -> None:
    folder = make_files(tmp_path / "d", a="1", deep__manifest="x")
    (folder / "deep/manifest.json").write_text("data like any other")
    make_or_update_manifest(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["project"] = "north sea"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    make_or_update_manifest(folder)
    again = json.loads((folder / "manifest.json").read_text())
    assert [entry["file"] for entry in again["files"]] == ["a", "deep/manifest", "deep/manifest.json"]
    assert again["project"] == "north sea"
    check_archive(folder)


def test_a_data_file_called_manifest_json_is_never_clobbered(client: LocalStorageClient) -> None:
    make_files(client.local_path / "d", a="1", **{"manifest.json": '{"steps": [1, 2]}'})
    with pytest.raises(Exception, match=r"manifest\.json"):
        client.upload_dataset("d")
    with pytest.raises(Exception, match=r"manifest\.json"):
        make_or_update_manifest(client.local_path / "d")
    assert (client.local_path / "d/manifest.json").read_text() == '{"steps": [1, 2]}'
    assert client.ls() == []


def test_a_member_that_climbs_out_is_refused_not_dropped(client: LocalStorageClient, tmp_path: Path) -> None:
    (tmp_path / "area").mkdir()
    with zipfile.ZipFile(tmp_path / "area/d.0.0.1.zip", "w") as archive:
        archive.writestr("../x", "out")
        archive.writestr("manifest.json", '{"datetime": "2024-01-01T00:00:00", "files": []}')
    with pytest.raises((HostileArchive, InvalidName)):
        client.download_dataset("d")
    assert client.ls("local_path") == []
    assert not (tmp_path / "files/x").exists()
    assert not (tmp_path / "x").exists()


def test_overwriting_keeps_the_good_copy_until_the_new_one_is_proven(
    client: LocalStorageClient, tmp_path: Path
) -> None:
    make_files(client.local_path / "d", a="good")
    client.upload_dataset("d")
    archive = tmp_path / "area/d.0.0.1.zip"
    damaged = bytearray(archive.read_bytes())
    damaged[damaged.index(b"good")] ^= 1
    archive.chmod(0o644)
    archive.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"."):
        client.download_dataset("d", overwrite=True)
    assert (client.local_path / "d.0.0.1/a").read_text() == "good"
    check_archive(client.local_path / "d.0.0.1")


def test_a_stale_zip_in_local_path_is_not_reused(client: LocalStorageClient) -> None:
    make_files(client.local_path / "d", a="good")
    client.upload_dataset("d")
    (client.local_path / "d.0.0.1.zip").write_bytes(b"stale")
    assert (client.download_dataset("d", overwrite=True) / "a").read_text() == "good"


def test_a_crash_while_unpacking_leaves_no_folder_that_looks_good(
    client: LocalStorageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(client.local_path / "d", a="1", b="2")
    client.upload_dataset("d")
    other = LocalStorageClient({**client.config, "local_path": str(client.local_path.parent / "other")})

    class PowerLoss(BaseException):
        pass

    def lose_power(*_: Any, **__: Any) -> None:
        raise PowerLoss

    with monkeypatch.context() as patch:
        patch.setattr("archive_tui.archives.datasets.fetching.swap_folder", lose_power)
        with pytest.raises(PowerLoss):
            other.download_dataset("d")
    assert not (other.local_path / "d.0.0.1").exists()
    assert (other.download_dataset("d") / "b").read_text() == "2"


def test_the_current_folder_as_local_path_cuts_no_letters_off(
    client: LocalStorageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(client.local_path, name__file="1", other="2")
    monkeypatch.chdir(client.local_path)
    here = LocalStorageClient({**client.config, "local_path": "."})
    assert here.ls("local_path") == ["name/file", "other"]


@pytest.mark.parametrize("name", ["d+1", "données", "d\n", "a//b", "", ".", "/abs", "d:x"])
def test_a_name_that_cannot_be_found_again_is_refused_before_anything_is_written(
    client: LocalStorageClient, name: str
) -> None:
    with pytest.raises(ValueError, match=r"(?i)name|key"):
        client.upload_dataset(name)
    assert client.ls() == []
    assert client.ls("local_path") == []


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/hostname"])
def test_no_name_leaves_the_two_areas(client: LocalStorageClient, tmp_path: Path, name: str) -> None:
    make_files(tmp_path, x="outside")
    client.ls()
    for call in (client.upload, client.download, client.upload_dataset, client.download_dataset):
        with pytest.raises(ValueError, match=r"(?i)name|key"):
            call(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["area", "files", "x"]
    assert client.ls() == client.ls("local_path") == []


def test_the_zip_of_unchanged_data_is_the_same_from_run_to_run(
    client: LocalStorageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    make_files(client.local_path / "d", b="2" * 3_000_000, a="1")
    client.upload_dataset("d")
    (client.local_path / "d/a").touch()
    client.upload_dataset("d")
    assert sha256(tmp_path / "area/d.0.0.1.zip") == sha256(tmp_path / "area/d.0.0.2.zip")
