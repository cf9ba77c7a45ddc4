"""StorageBackend: folders below a root, whatever their names; nothing outside of it."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path

import pytest
import yaml

from archive_tui.datasafe import (
    ArchiveError,
    HostileArchive,
    IntegrityError,
    Manifest,
    ManifestError,
    MissingContentError,
    MissingInformationError,
    MissingPathError,
    NoFileError,
    StorageBackend,
)
from archive_tui.errors import ExistingFileError, InvalidName
from tests.contracts.datasafe_programs import RIGHT, files_below, pack, unpack, write_dataset, write_files

WALKS_OUT = ["..", "../x", "a/../../x", "/etc", "//etc", "a/..", "a\x00b"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=["", "root", "deep/root"])
def backend(request: pytest.FixtureRequest) -> StorageBackend:
    backend = StorageBackend()
    backend.root_directory = request.param
    return backend


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return pack(write_dataset(tmp_path / "packed"))


def test_defaults() -> None:
    backend = StorageBackend()
    assert (backend.root_directory, backend.manifest_filename) == ("datasafe_root", "MANIFEST.yaml")
    assert backend.working_path("path/bla") == "datasafe_root/path/bla"


def test_the_root_is_looked_up_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = StorageBackend()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    backend.create("path")
    assert (tmp_path / "other" / "datasafe_root" / "path").is_dir()
    backend.root_directory = str(tmp_path / "absolute")
    backend.create("path")
    assert (tmp_path / "absolute" / "path").is_dir()


def test_folders_are_made_looked_at_and_removed(backend: StorageBackend) -> None:
    root = Path(backend.root_directory)
    assert not backend.exists("path/bla")
    backend.create("path/bla")
    assert (root / "path" / "bla").is_dir()
    assert backend.exists("path/bla")
    assert backend.isempty("path/bla")
    with pytest.raises(FileExistsError):
        backend.create("path/bla")
    (root / "path" / "bla" / "file").write_text("")
    assert not backend.isempty("path/bla")
    with pytest.raises(OSError):
        backend.remove("path/bla")
    backend.remove("path/bla", force=True)
    assert not backend.exists("path/bla")
    backend.remove("path")
    assert root.is_dir()
    with pytest.raises(FileNotFoundError):
        backend.remove("path")
    with pytest.raises(NoFileError, match=r"^File does not exist$"):
        backend.isempty("path")


def test_without_a_path(backend: StorageBackend, content: bytes) -> None:
    for path in ("", ".", "./", "/."):
        for call in (
            lambda: backend.create(path),  # noqa: B023
            lambda: backend.remove(path, force=True),  # noqa: B023
            lambda: backend.create_next_id(path),  # noqa: B023
            lambda: backend.deposit(path, content),  # noqa: B023
            lambda: backend.retrieve(path),  # noqa: B023
            lambda: backend.get_manifest(path),  # noqa: B023
        ):
            with pytest.raises((MissingPathError, InvalidName)) as caught:
                call()
            if path == "":
                assert caught.value.message == "No path provided."


@pytest.mark.parametrize("path", WALKS_OUT)
def test_nothing_leaves_the_root(backend: StorageBackend, content: bytes, tmp_path: Path, path: str) -> None:
    write_files(tmp_path, {"x/secret": "s", "secret": "s"})
    before = files_below(tmp_path)
    for call in (
        lambda: backend.working_path(path),
        lambda: backend.create(path),
        lambda: backend.exists(path),
        lambda: backend.isempty(path),
        lambda: backend.remove(path, force=True),
        lambda: backend.get_highest_id(path),
        lambda: backend.create_next_id(path),
        lambda: backend.deposit(path, content),
        lambda: backend.retrieve(path),
        lambda: backend.get_manifest(path),
        lambda: backend.check_integrity(path),
    ):
        with pytest.raises(InvalidName):
            call()
    assert files_below(tmp_path) == before


def test_no_link_leads_out_of_the_root(backend: StorageBackend, content: bytes, tmp_path: Path) -> None:
    write_dataset(tmp_path / "outside" / "1")
    backend.create("path")
    (Path(backend.root_directory) / "path" / "link").symlink_to(tmp_path / "outside")
    before = files_below(tmp_path / "outside")
    for call in (
        lambda: backend.create("path/link/new"),
        lambda: backend.exists("path/link/1"),
        lambda: backend.remove("path/link/1", force=True),
        lambda: backend.remove("path/link", force=True),
        lambda: backend.create_next_id("path/link"),
        lambda: backend.deposit("path/link/2", content),
        lambda: backend.retrieve("path/link/1"),
        lambda: backend.get_manifest("path/link/1"),
        lambda: backend.check_integrity("path/link/1"),
    ):
        with pytest.raises(InvalidName):
            call()
    assert files_below(tmp_path / "outside") == before
    assert backend.get_index() == []


def test_a_manifest_that_is_a_link_is_none(backend: StorageBackend, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    backend.create("path")
    (Path(backend.root_directory) / "path" / "MANIFEST.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises((MissingContentError, ArchiveError)):
        backend.get_manifest("path")
    with pytest.raises(MissingContentError):
        backend.check_integrity("path")


def test_numbers(backend: StorageBackend) -> None:
    root = Path(backend.root_directory)
    backend.create("path")
    assert backend.get_highest_id("path") == 0
    assert backend.create_next_id("path") == "path/1"
    assert backend.create_next_id("path/") == "path/2"
    backend.create("path/5")
    assert backend.get_highest_id("path") == 5
    assert backend.create_next_id("path") == "path/6"
    for name in ("abc", "7a", "008", "-9", "1.5", "²", "٤٢", ".hidden", "MANIFEST.yaml"):
        (root / "path" / name).mkdir()
    assert backend.get_highest_id("path") == 6
    assert backend.create_next_id("path") == "path/7"
    (root / "path" / "10").write_text("a file with a number")
    assert backend.create_next_id("path") == "path/11"
    assert backend.create_next_id("new/and/deep") == "new/and/deep/1"


def test_numbers_are_never_given_twice(backend: StorageBackend) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(backend.create_next_id("path"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"path/{number}" for number in range(1, 17))


def test_deposit_and_retrieve(backend: StorageBackend, content: bytes) -> None:
    backend.create("path/bla")
    assert backend.deposit(path="path/bla", content=content) == RIGHT
    assert (Path(backend.root_directory) / "path" / "bla" / "MANIFEST.yaml").is_file()
    retrieved = backend.retrieve("path/bla")
    assert unpack(retrieved) == unpack(content)
    assert backend.retrieve("path/bla") == retrieved
    with backend.open("path/bla") as file:
        assert file.read(2) == b"PK"
        assert file.read() == retrieved[2:]
    with pytest.raises(ExistingFileError, match=r"^Directory not empty\.$"):
        backend.deposit("path/bla", content)


@pytest.mark.parametrize("make", [lambda c: c, bytearray, memoryview, io.BytesIO, lambda c: iter([c[:9], b"", c[9:]])])
def test_content_comes_as_it_likes(content: bytes, make: object) -> None:
    backend = StorageBackend()
    assert backend.deposit("path", make(content)) == RIGHT  # type: ignore[operator]
    assert backend.check_integrity("path") == RIGHT


def test_a_folder_that_is_missing_is_made_and_goes_again_when_nothing_is_put_into_it(content: bytes) -> None:
    backend = StorageBackend()
    with pytest.raises(ArchiveError):
        backend.deposit("new/path", b"no zip")
    assert not Path("datasafe_root").exists()
    assert backend.deposit("new/path", content) == RIGHT


def test_without_content(backend: StorageBackend) -> None:
    for nothing in (None, b"", io.BytesIO(), iter([])):
        with pytest.raises(MissingContentError, match=r"^No content provided to deposit\.$"):
            backend.deposit("path", nothing)
    with pytest.raises(OSError):
        backend.retrieve("path")
    backend.create("path")
    with pytest.raises(MissingContentError):
        backend.retrieve("path")


def zip_of(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def test_what_fails_its_check_leaves_nothing(backend: StorageBackend, content: bytes) -> None:
    good = unpack(content)
    refused = {
        "no zip": b"foo",
        "cut": content[:-30],
        "no manifest": zip_of({"foo": b""}),
        "a file is missing": zip_of({name: data for name, data in good.items() if name != "foo"}),
        "a file is not listed": zip_of({**good, "more": b""}),
        "another content": zip_of({**good, "foo": b"changed"}),
        "walks out": zip_of({**good, "../out": b""}),
        "a manifest that is none": zip_of({**good, "MANIFEST.yaml": b"foo"}),
        "a manifest without checksums": zip_of({**good, "MANIFEST.yaml": b"files: {data: {names: [foo]}}"}),
    }
    backend.create("path")
    for what, archive in refused.items():
        with pytest.raises((IntegrityError, HostileArchive, ManifestError, MissingContentError)):
            backend.deposit("path", archive)
        assert backend.isempty("path"), what
        assert files_below(Path(backend.root_directory)) == {}, what
    assert backend.deposit("path", content) == RIGHT


def test_the_manifest_as_text(backend: StorageBackend) -> None:
    with pytest.raises(MissingPathError, match=r"^Path path does not exist\.$"):
        backend.get_manifest("path")
    backend.create("path")
    with pytest.raises(MissingContentError, match=r"^No MANIFEST file found\.$"):
        backend.get_manifest("path")
    file = Path(backend.root_directory) / "path" / "MANIFEST.yaml"
    file.write_text("foo ä", encoding="utf-8")
    assert backend.get_manifest("path") == "foo ä"
    file.write_bytes(b"\xff\x00")
    with pytest.raises(ManifestError):
        backend.get_manifest("path")
    backend.manifest_filename = "OTHER"
    (file.parent / "OTHER").write_text("other")
    assert backend.get_manifest("path") == "other"


def test_the_index(backend: StorageBackend) -> None:
    root = Path(backend.root_directory)
    assert backend.get_index() == []
    for path in ("exp/2", "exp/10", "foo", "bar"):
        backend.create(path)
    write_dataset(root / "exp" / "1", {"data": "", "sub/data": ""})
    write_files(root, {"files only/x": "", ".old/exp/1/MANIFEST.yaml": "", "exp/.hidden/x/MANIFEST.yaml": ""})
    (root / "exp" / "1" / "empty").mkdir()
    assert backend.get_index() == ["bar", "exp/1", "exp/2", "exp/10", "foo"]


def test_integrity(backend: StorageBackend) -> None:
    backend.create("path")
    with pytest.raises(MissingContentError, match=r"^No manifest file found\.$"):
        backend.check_integrity("path")
    with pytest.raises(MissingContentError):
        backend.check_integrity("absent")
    folder = write_dataset(Path(backend.root_directory) / "path")
    assert backend.check_integrity("path") == RIGHT
    (folder / "bar").write_text("changed")
    assert backend.check_integrity("path") == {"data": True, "all": False}
    (folder / "foo").write_text("changed")
    assert backend.check_integrity("path") == {"data": False, "all": False}
    (folder / "foo").unlink()
    with pytest.raises(NoFileError, match="foo"):
        backend.check_integrity("path")
    (folder / "MANIFEST.yaml").write_text("files: {data: {names: [foo]}}")
    with pytest.raises(MissingInformationError):
        backend.check_integrity("path")


def test_integrity_of_wrong_checksums_and_of_names_from_where_the_program_stood(backend: StorageBackend) -> None:
    folder = Path(backend.root_directory) / "path"
    write_files(folder, {"foo": "", "bar": ""})
    manifest = Manifest()
    manifest.data_filenames, manifest.metadata_filenames = [str(folder / "foo")], [str(folder / "bar")]
    manifest.manifest_filename = str(folder / "MANIFEST.yaml")
    manifest.to_file()
    assert backend.check_integrity("path") == RIGHT
    document = yaml.safe_load((folder / "MANIFEST.yaml").read_text())
    document["checksums"][0]["value"], document["checksums"][1]["value"] = "foo", "bar"
    (folder / "MANIFEST.yaml").write_text(yaml.dump(document))
    assert backend.check_integrity("path") == {"data": False, "all": False}


def test_a_manifest_cannot_have_files_checked_that_lie_elsewhere(here: Path) -> None:
    write_files(here, {"datasafe_root/other/foo": "", "datasafe_root/path/x": ""})
    write_dataset(here, {"datasafe_root/other/foo": ""}, {})
    (here / "MANIFEST.yaml").rename(here / "datasafe_root" / "path" / "MANIFEST.yaml")
    with pytest.raises(NoFileError):
        StorageBackend().check_integrity("path")


def test_a_backend_knows_no_lois(tmp_path: Path) -> None:
    backend = StorageBackend()
    folder = write_dataset(tmp_path / "named", {"sub/data": "1"}, {}, loi="42.1001/ds/exp/sa/42/cwepr/1")
    assert backend.deposit("any/path", pack(folder)) == RIGHT
    assert unpack(backend.retrieve("any/path")) == files_below(folder)
