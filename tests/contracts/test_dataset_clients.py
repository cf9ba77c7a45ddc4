"""The storage clients of the dataset contract: names, arguments, returned values, errors."""

from __future__ import annotations

import inspect
import json
import zipfile
from pathlib import Path

import pytest

from archive_tui import core
from archive_tui.core import (
    AwsStorageClient,
    AzureStorageClient,
    LocalStorageClient,
    StorageClientABC,
    check_archive,
    make_dataset_archive_folder,
    make_or_update_manifest,
    new_storage_client,
    read_config,
)

SETTINGS = """
[DEFAULT]
local_path = {local}
[lab]
storage_client = archive_tui.core.LocalStorageClient
storage_area = {area}
compression_level = 6
[s3]
storage_client = archive_tui.core.AwsStorageClient
AWS_Access_Key_Id = dummy
aws_secret_access_key = 50%off%%
bucket = lab-data
[azure]
storage_client = archive_tui.core.AzureStorageClient
conn_str = DefaultEndpointsProtocol=https;AccountName=dummy;AccountKey=c2VjcmV0;EndpointSuffix=core.example
credential =
container = lab-data
[nowhere]
storage_client = archive_tui.core.NoSuchClient
"""


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.ini"
    path.write_text(SETTINGS.format(local=tmp_path / "files", area=tmp_path / "area"))
    return path


@pytest.fixture
def client(tmp_path: Path) -> LocalStorageClient:
    (tmp_path / "files").mkdir()
    return LocalStorageClient({"local_path": str(tmp_path / "files"), "storage_area": str(tmp_path / "area")})


def make_files(folder: Path, **contents: str) -> Path:
    for name, text in contents.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("name", core.__all__)
def test_every_public_name_is_importable_and_documented(name: str) -> None:
    assert inspect.getdoc(getattr(core, name))


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (core.read_config, ["section_name", "config_name"]),
        (core.next_version, ["versions", "increment"]),
        (core.make_dataset_archive_folder, ["path", "name", "versions", "version"]),
        (core.new_storage_client, ["storage_name", "config_name"]),
        (StorageClientABC.ls, ["self", "what", "name_starts_with"]),
        (LocalStorageClient.download, ["self", "filename", "overwrite"]),
        (StorageClientABC.upload, ["self", "filename", "overwrite"]),
        (StorageClientABC.config_get, ["self", "key", "default", "dtype"]),
        (StorageClientABC.ls_versions, ["self", "name", "what"]),
        (StorageClientABC.upload_dataset, ["self", "name", "version"]),
        (StorageClientABC.download_dataset, ["self", "name", "version", "overwrite"]),
    ],
)
def test_parameter_names_and_orders(function: object, parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters  # type: ignore[arg-type]


class TestReadConfig:
    def test_a_section_is_a_plain_dict_with_the_default_keys(self, settings_file: Path, tmp_path: Path) -> None:
        values = read_config("lab", settings_file)
        assert type(values) is dict
        assert values["local_path"] == str(tmp_path / "files")

    def test_without_a_section_it_is_the_parser(self, settings_file: Path) -> None:
        assert read_config(config_name=str(settings_file)).sections() == ["lab", "s3", "azure", "nowhere"]

    def test_default_is_a_dict_even_if_the_file_is_absent(self, tmp_path: Path) -> None:
        assert read_config("DEFAULT", tmp_path / "absent.ini") == {}

    def test_an_unknown_section_is_named_with_its_file(self, settings_file: Path) -> None:
        with pytest.raises(ValueError, match=r"Error: \[labs\] section not found in ") as caught:
            read_config("labs", settings_file)
        assert str(caught.value) == f"Error: [labs] section not found in {settings_file}"
        assert "Did you mean 'lab'?" in caught.value.hint  # type: ignore[attr-defined]

    def test_keys_are_lower_cased_and_percent_signs_mean_themselves(self, settings_file: Path) -> None:
        with pytest.warns(UserWarning, match="doubled percent sign") as warned:
            values = read_config("s3", settings_file)
        assert values["aws_access_key_id"] == "dummy"
        assert values["aws_secret_access_key"] == "50%off%%"
        assert "50%off" not in str(warned[0].message)


class TestNewStorageClient:
    def test_dummy_credentials_work_offline(self, settings_file: Path) -> None:
        with pytest.warns(UserWarning, match="percent"):
            assert isinstance(new_storage_client("s3", str(settings_file)), AwsStorageClient)
        assert isinstance(new_storage_client("azure", str(settings_file)), AzureStorageClient)

    def test_the_sdk_clients_are_made_on_first_use(self, settings_file: Path) -> None:
        with pytest.warns(UserWarning, match="percent"):
            aws = new_storage_client("s3", settings_file)
        azure = new_storage_client("azure", settings_file)
        assert isinstance(aws, AwsStorageClient)
        assert isinstance(azure, AzureStorageClient)
        assert aws.client.meta.service_model.service_name == "s3"
        assert azure.client.container_name == "lab-data"

    def test_no_secret_shows_in_a_repr(self, settings_file: Path) -> None:
        client = new_storage_client("azure", settings_file)
        assert "c2VjcmV0" not in repr(client) + repr(client.object_store) + client.object_store.label

    @pytest.mark.parametrize("name", ["nowhere", "absent"])
    def test_any_failure_is_one_value_error_with_its_cause(self, settings_file: Path, name: str) -> None:
        with pytest.raises(ValueError, match="Failed to create") as caught:
            new_storage_client(name, str(settings_file))
        expected = f"Failed to create storage client. storage_name={name}, config_name={settings_file}"
        assert str(caught.value) == expected
        assert caught.value.__cause__ is not None

    def test_without_settings_local_is_the_embedded_archive(
        self, tmp_path: Path, isolated_home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        make_files(tmp_path / "d", a="1")
        client = new_storage_client("local")
        assert isolated_home in Path(client.upload_dataset("d")).parents
        with pytest.raises(ValueError, match="Failed to create"):
            new_storage_client("lab")

    def test_a_strangers_exception_is_chained_too(self, tmp_path: Path) -> None:
        path = tmp_path / "s.ini"
        path.write_text(f"[x]\nstorage_client = {__name__}.RefusesToBeBuilt\nlocal_path = .\n")
        with pytest.raises(ValueError, match="Failed to create") as caught:
            new_storage_client("x", path)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)

    def test_a_bad_compression_level_is_an_error_before_any_work(self, client: LocalStorageClient) -> None:
        client.config["compression_level"] = "best"
        make_files(client.local_path / "d", a="1")
        with pytest.raises(ValueError, match="compression_level"):
            client.upload_dataset("d")
        assert client.ls("local_path") == ["d/a"]


class RefusesToBeBuilt(StorageClientABC):
    def __init__(self, config: dict[str, object]) -> None:
        raise ZeroDivisionError

    def ls(self, what: str = "storage_area", name_starts_with: str | None = None) -> list[str]:
        return []

    def download(self, filename: str) -> None: ...

    def upload(self, filename: str, overwrite: bool = False) -> None: ...


class TestLocalClient:
    def test_the_config_is_the_very_dict(self, tmp_path: Path) -> None:
        config = {"local_path": str(tmp_path), "storage_area": str(tmp_path / "a")}
        assert LocalStorageClient(config).config is config

    def test_missing_folders_are_created_and_list_empty(self, tmp_path: Path) -> None:
        client = LocalStorageClient({"local_path": str(tmp_path / "l"), "storage_area": str(tmp_path / "s")})
        assert client.ls() == []
        assert client.ls("local_path") == []
        assert (tmp_path / "l").is_dir()
        assert (tmp_path / "s").is_dir()

    def test_ls_is_sorted_relative_files_only_with_a_plain_prefix(self, client: LocalStorageClient) -> None:
        make_files(client.local_path, b="1", a__c="", ab="2")
        (client.local_path / "empty").mkdir()
        assert client.ls("local_path") == ["a/c", "ab", "b"]
        assert client.ls("local_path", "a") == ["a/c", "ab"]
        with pytest.raises(ValueError, match="somewhere"):
            client.ls("somewhere")

    def test_upload_and_download(self, client: LocalStorageClient, tmp_path: Path) -> None:
        make_files(client.local_path, sub__f="one")
        assert client.upload("sub/f") == tmp_path / "area" / "sub/f"
        with pytest.raises(FileExistsError, match="overwrite=False"):
            client.upload("sub/f")
        make_files(client.local_path, sub__f="two")
        assert client.download("sub/f") == client.local_path / "sub/f"
        assert (client.local_path / "sub/f").read_text() == "two"
        client.download("sub/f", overwrite=True)
        assert (client.local_path / "sub/f").read_text() == "one"
        make_files(client.local_path, sub__f="three")
        client.upload("sub/f", overwrite=True)
        assert (tmp_path / "area/sub/f").read_text() == "three"

    def test_what_is_absent_is_file_not_found(self, client: LocalStorageClient) -> None:
        with pytest.raises(FileNotFoundError):
            client.upload("nothing")
        with pytest.raises(FileNotFoundError):
            client.download("nothing")
        assert client.ls("local_path") == []

    def test_config_get(self, client: LocalStorageClient) -> None:
        assert client.config_get("absent", 3) == 3
        assert client.config_get("local_path", dtype=str) == str(client.local_path)
        with pytest.raises(ValueError, match="local_path"):
            client.config_get("local_path", dtype=int)

    def test_ls_versions_sorts_numerically(self, client: LocalStorageClient, tmp_path: Path) -> None:
        make_files(
            tmp_path / "area", **{f"d.0.0.{n}.zip": "" for n in (10, 9, 2)}, **{"d.x.0.0.1.zip": "", "d.txt": ""}
        )
        assert client.ls_versions("d") == ["0.0.2", "0.0.9", "0.0.10"]
        assert client.ls_versions("nobody") is None
        assert client.ls_versions("d", "local_path") is None


class TestUploadDataset:
    def test_it_leaves_folder_zip_and_manifest_and_returns_what_upload_returns(
        self, client: LocalStorageClient, tmp_path: Path
    ) -> None:
        make_files(client.local_path / "d", a="1", sub__b="2")
        assert client.upload_dataset("d") == tmp_path / "area" / "d.0.0.1.zip"
        assert client.ls() == ["d.0.0.1.manifest.json", "d.0.0.1.zip"]
        assert client.ls("local_path", "d.") == [
            "d.0.0.1.manifest.json",
            "d.0.0.1.zip",
            "d.0.0.1/a",
            "d.0.0.1/manifest.json",
            "d.0.0.1/sub/b",
        ]
        beside = json.loads((tmp_path / "area/d.0.0.1.manifest.json").read_text())
        assert beside["archive"]["key"] == "d.0.0.1.zip"
        assert beside["archive"]["sha256"] == core.sha256(tmp_path / "area/d.0.0.1.zip")
        assert client.upload_dataset("d", "minor") == tmp_path / "area" / "d.0.1.0.zip"

    def test_a_single_file_is_a_dataset(self, client: LocalStorageClient) -> None:
        make_files(client.local_path, **{"notes.txt": "x"})
        client.upload_dataset("notes.txt", "1.0.0")
        assert client.download_dataset("notes.txt").name == "notes.txt.1.0.0"
        assert (client.local_path / "notes.txt.1.0.0/notes.txt").read_text() == "x"

    def test_download_verifies_and_returns_the_folder(self, client: LocalStorageClient, tmp_path: Path) -> None:
        make_files(client.local_path / "d", a="1")
        client.upload_dataset("d")
        other = LocalStorageClient({"local_path": str(tmp_path / "other"), "storage_area": str(tmp_path / "area")})
        folder = other.download_dataset("d")
        assert folder == tmp_path / "other" / "d.0.0.1"
        assert (folder / "a").read_text() == "1"
        check_archive(folder)
        (folder / "a").write_text("mine")
        assert other.download_dataset("d") == folder
        assert (folder / "a").read_text() == "mine"
        other.download_dataset("d", overwrite=True)
        assert (folder / "a").read_text() == "1"

    def test_latest_of_nothing_is_a_value_error(self, client: LocalStorageClient) -> None:
        with pytest.raises(ValueError, match="no version of d"):
            client.download_dataset("d")

    def test_an_archive_of_the_original_is_read(self, client: LocalStorageClient, tmp_path: Path) -> None:
        folder = make_files(tmp_path / "d.0.0.1", a="1", sub__b="2")
        digests = {path: core.sha256(folder / path) for path in ("a", "sub/b")}
        manifest = {
            "datetime": "2024-05-01T10:00:00.123456",
            "files": [{"file": path, "sha256": digest} for path, digest in digests.items()],
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True))
        (tmp_path / "area").mkdir()
        with zipfile.ZipFile(tmp_path / "area/d.0.0.1.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        assert (client.download_dataset("d") / "sub/b").read_text() == "2"


class TestArchiveFolder:
    def test_missing_source_and_existing_target(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            make_dataset_archive_folder(tmp_path, "d")
        make_files(tmp_path / "d", a="1")
        assert make_dataset_archive_folder(str(tmp_path), "d", ["2.4.60", "33.55.66"]) == f"{tmp_path}/d.33.55.67"
        with pytest.raises(FileExistsError):
            make_dataset_archive_folder(tmp_path, "d", version="33.55.67")
        with pytest.raises(ValueError, match=r"1\.2"):
            make_dataset_archive_folder(tmp_path, "d", version="1.2")

    def test_the_manifest_is_as_the_original_writes_it(self, tmp_path: Path) -> None:
        make_files(tmp_path / "d", b="2", a="1", sub__manifest="3")
        folder = Path(make_dataset_archive_folder(tmp_path, "d"))
        text = (folder / "manifest.json").read_text()
        manifest = json.loads(text)
        assert [entry["file"] for entry in manifest["files"]] == ["a", "b", "sub/manifest"]
        assert manifest["files"][0]["sha256"] == core.sha256(tmp_path / "d/a")
        assert text.rstrip("\n") == json.dumps(manifest, indent=2, sort_keys=True)
        assert "+00:00" in manifest["datetime"] or manifest["datetime"].endswith("Z")

    def test_check_archive(self, tmp_path: Path) -> None:
        folder = make_files(tmp_path / "d", a="1", b="2")
        with pytest.raises(FileNotFoundError):
            check_archive(folder)
        make_or_update_manifest(folder)
        check_archive(folder)
        make_files(folder, extra="x")
        check_archive(folder)
        expected = core.sha256(folder / "a")
        make_files(folder, a="changed")
        with pytest.raises(ValueError, match="sha mismatch") as caught:
            check_archive(folder)
        found = core.sha256(folder / "a")
        assert str(caught.value) == f"sha mismatch for a. Expected {expected} but found {found}"
        (folder / "a").unlink()
        with pytest.raises(FileNotFoundError):
            check_archive(folder)
        (folder / "manifest.json").write_text('{"datetime": "2024-01-01T00:00:00"}')
        with pytest.raises(ValueError, match="files"):
            check_archive(folder)
        (folder / "manifest.json").write_text('{"datetime": "2024-01-01T00:00:00", "files": []}')
        check_archive(folder)
