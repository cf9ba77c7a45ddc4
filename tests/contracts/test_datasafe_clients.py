"""Clients, in this process and over HTTP: manifests, uploads, downloads, and what they warn of."""

from __future__ import annotations

import io
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from werkzeug.serving import make_server

from archive_tui.archives.datasafe.opening import open_store_safe
from archive_tui.datasafe import (
    Client,
    ExistingFileError,
    HTTPClient,
    IntegrityError,
    InvalidLoiError,
    LocalClient,
    LoiChecker,
    LoiNotFoundError,
    Manifest,
    ManifestError,
    MissingContentError,
    MissingInformationError,
    MissingLoiError,
    NoFileError,
    Server,
    create_http_server,
)
from archive_tui.errors import SourceError
from archive_tui.objects.memory import MemoryStore
from tests.contracts.datasafe_programs import INFO, KIND, LOI, RIGHT, files_below, pack, write_dataset, write_files


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, temporary = tmp_path / "here", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    write_files(folder, {"bar.dat": "", "bar.info": INFO})
    return folder


@pytest.fixture(params=["folder", "object store", "http"])
def client(request: pytest.FixtureRequest, here: Path) -> Iterator[Client]:
    """The same for every way to a datasafe."""
    root = here.parent / "safe"
    if request.param == "folder":
        local = LocalClient()
        local.server.storage.root_directory = str(root)
        yield local
    elif request.param == "object store":
        yield LocalClient(Server(open_store_safe(MemoryStore())))
    else:
        with serving(create_http_server({"ROOT_DIRECTORY": str(root), "TESTING": True})) as url:
            remote = HTTPClient(url)
            yield remote
            remote.close()


@contextmanager
def serving(application: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Canned(Client):
    """A client whose server hands out what it was told."""

    def __init__(self, content: bytes | list[bytes]) -> None:
        super().__init__()
        self.content = content

    def _server_download(self, loi: str = "") -> bytes | Iterator[bytes]:
        return self.content if isinstance(self.content, bytes) else iter(self.content)


def read_manifest() -> Manifest:
    manifest = Manifest()
    manifest.from_file()
    return manifest


def left_behind(here: Path) -> list[str]:
    return sorted(path.name for path in (here.parent / "temporary").iterdir())


def test_attributes() -> None:
    client = LocalClient()
    assert client.metadata_extensions == (".info", ".yaml", ".yml")
    assert client.loi_parser.issuer == ""
    assert isinstance(client.server, Server)


@pytest.mark.parametrize("verb", ["create", "upload", "update", "download"])
@pytest.mark.parametrize("kind", [Client, LocalClient])
def test_lois_that_are_none(here: Path, kind: type[Client], verb: str) -> None:
    before = files_below(here)
    with pytest.raises(MissingLoiError, match=r"^No LOI provided\.$"):
        getattr(kind(), verb)()
    with pytest.raises(InvalidLoiError, match="not a valid LOI"):
        getattr(kind(), verb)("foo")
    with pytest.raises(InvalidLoiError, match="not a datasafe LOI"):
        getattr(kind(), verb)("42.1001/rec/42")
    assert files_below(here) == before


@pytest.mark.parametrize("kind", [Client, LocalClient])
def test_create_judges_more(kind: type[Client]) -> None:
    with pytest.raises(InvalidLoiError, match="not a valid experiment LOI"):
        kind().create("42.1001/ds/calc")
    with pytest.raises(InvalidLoiError, match="not a valid LOI"):
        kind().create("42.1001/ds/exp/foo")
    assert isinstance(kind().create(LOI), str)


def test_create(client: Client) -> None:
    assert client.create(KIND) == f"{KIND}1"
    assert LoiChecker().check(client.create(LOI))


def test_a_manifest_is_made_of_all_files() -> None:
    Client().create_manifest()
    manifest = read_manifest()
    assert (manifest.data_filenames, manifest.metadata_filenames) == (["bar.dat"], ["bar.info"])
    Client().create_manifest()
    assert read_manifest().metadata_filenames == ["bar.info"]


def test_a_manifest_covers_subfolders_and_leaves_out_what_is_hidden(here: Path) -> None:
    write_files(here, {"sub/x.dat": "1", "sub/MANIFEST.yaml": "a: b", ".git/x": "", "sub/.hidden": "", "UP.INFO": ""})
    (here / "link.dat").symlink_to(here / "bar.dat")
    Client().create_manifest()
    manifest = read_manifest()
    assert manifest.data_filenames == ["bar.dat", "sub/x.dat"]
    assert manifest.metadata_filenames == ["UP.INFO", "bar.info", "sub/MANIFEST.yaml"]
    assert manifest.check_integrity() == RIGHT


@pytest.mark.parametrize(
    ("filename", "names"),
    [
        ("bar", {"bar.dat", "bar.info"}),
        ("b*", {"bar.dat", "bar.info"}),
        ("sub/bar", {"sub/bar.dat"}),
        ("*/bar", {"sub/bar.dat"}),
    ],
)
def test_a_manifest_of_some_files(here: Path, filename: str, names: set[str]) -> None:
    write_files(here, {"asdf": "", "sdfg": "", "sub/bar.dat": "", "barium": ""})
    Client().create_manifest(filename=filename)
    manifest = read_manifest()
    assert {*manifest.data_filenames, *manifest.metadata_filenames} == names


def test_a_manifest_in_another_folder(here: Path) -> None:
    Client().create_manifest(path=str(here), filename="bar")
    write_files(here, {"else/one.dat": ""})
    Client().create_manifest(path="else")
    manifest = Manifest()
    manifest.from_file("else/MANIFEST.yaml")
    assert manifest.data_filenames == ["one.dat"]
    assert Path.cwd() == here


@pytest.mark.parametrize("filename", ["absent", "../bar", "/etc/host"])
def test_a_manifest_of_nothing(here: Path, filename: str) -> None:
    with pytest.raises(MissingInformationError):
        Client().create_manifest(filename=filename)
    with pytest.raises(SourceError):
        Client().create_manifest(path="absent")
    assert not Path("MANIFEST.yaml").exists()


def test_metadata_extensions_can_be_set(here: Path) -> None:
    client = Client()
    client.metadata_extensions = (".dat",)
    client.create_manifest()
    assert read_manifest().metadata_filenames == ["bar.dat"]


@pytest.mark.parametrize("verb", ["upload", "update"])
def test_sending_makes_a_manifest_with_the_loi(verb: str) -> None:
    client = Client()
    assert getattr(client, verb)(LOI) == RIGHT
    manifest = read_manifest()
    assert (manifest.loi, manifest.data_filenames) == (LOI, ["bar.dat"])
    client.create_manifest = lambda **options: pytest.fail("there is one")  # type: ignore[method-assign]
    assert getattr(client, verb)(LOI) == RIGHT
    assert getattr(client, verb)(f"{KIND}2") == RIGHT
    assert read_manifest().loi == f"{KIND}2"


@pytest.mark.parametrize("verb", ["upload", "update"])
def test_sending_some_files(here: Path, verb: str) -> None:
    write_files(here, {"asdf": "", "sdfg": ""})
    getattr(Client(), verb)(LOI, filename="bar")
    assert read_manifest().data_filenames == ["bar.dat"]


def test_the_whole_way(here: Path, client: Client) -> None:
    write_files(here, {"sub/deep/more.dat": "more"})
    loi = client.create(KIND)
    assert client.upload(loi) == RIGHT
    folder = Path(client.download(loi))
    assert folder.parent == here.parent / "temporary"
    assert files_below(folder) == files_below(here)
    assert yaml.safe_load((folder / "MANIFEST.yaml").read_text())["dataset"]["loi"] == loi
    with pytest.raises(ExistingFileError, match=r"^Directory not empty\.$"):
        client.upload(loi)
    write_files(here, {"bar.dat": "corrected"})
    (here / "MANIFEST.yaml").unlink()
    assert client.update(loi) == RIGHT
    assert (Path(client.download(loi)) / "bar.dat").read_text() == "corrected"
    assert len([name for name in left_behind(here) if name.startswith("datasafe-")]) == 2


def test_from_another_folder(here: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.parent / "elsewhere").mkdir()
    monkeypatch.chdir(here.parent / "elsewhere")
    loi = client.create(KIND)
    assert client.upload(loi, path=str(here)) == RIGHT
    assert client.update(loi, path="../here") == RIGHT
    assert (here / "MANIFEST.yaml").is_file()
    assert list(Path().iterdir()) == []


def test_errors_of_the_server(client: Client) -> None:
    with pytest.raises(LoiNotFoundError, match=r"^LOI does not exist\.$"):
        client.upload(LOI)
    with pytest.raises(LoiNotFoundError):
        client.download(LOI)
    for verb in (client.upload, client.update, client.download):
        with pytest.raises(InvalidLoiError, match=r"^String is not a valid LOI\.$"):
            verb("42.1001/ds/foo/bar/baz")
    client.create(LOI)
    with pytest.raises(NoFileError, match=r"^Directory empty$"):
        client.update(LOI)
    with pytest.raises(MissingContentError):
        client.download(LOI)


def test_files_that_changed_after_their_manifest_are_not_sent(here: Path, client: Client) -> None:
    loi = client.create(KIND)
    client.create_manifest()
    for change in ({"bar.dat": "changed"}, {"bar.dat": "", "bar.info": "changed"}):
        write_files(here, change)
        with pytest.raises(IntegrityError, match="do not fit"):
            client.upload(loi)
    with pytest.raises(MissingContentError):
        client.download(loi)
    write_files(here, {"bar.info": INFO})
    assert client.upload(loi) == RIGHT


def test_swapped_contents_are_not_sent(here: Path, client: Client) -> None:
    write_files(here, {"one.dat": "1", "two.dat": "2"})
    loi = client.create(KIND)
    client.create_manifest()
    write_files(here, {"one.dat": "2", "two.dat": "1"})
    with pytest.raises(IntegrityError, match="do not fit"):
        client.upload(loi)


def test_a_manifest_of_the_original_is_sent_as_it_is(here: Path, client: Client) -> None:
    client.create_manifest()
    document = yaml.safe_load(Path("MANIFEST.yaml").read_text())
    del document["integrity"]
    Path("MANIFEST.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    loi = client.create(KIND)
    assert client.upload(loi) == RIGHT
    document["dataset"]["loi"] = loi
    assert yaml.safe_load((Path(client.download(loi)) / "MANIFEST.yaml").read_text()) == document


def test_a_file_that_is_gone_is_not_sent(here: Path, client: Client) -> None:
    loi = client.create(KIND)
    client.create_manifest()
    (here / "bar.dat").unlink()
    with pytest.raises(OSError, match=r"bar\.dat"):
        client.upload(loi)


@pytest.mark.parametrize("as_pieces", [False, True])
def test_a_download_of_what_other_programs_packed(here: Path, as_pieces: bool) -> None:
    content = pack(write_dataset(here.parent / "packed"))
    client = Canned([content[:10], content[10:]] if as_pieces else content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(client.download(LOI))
    assert files_below(folder) == files_below(here.parent / "packed")


WRONG = [
    ({"data": False, "all": False}, "Integrity check failed, data and metadata may be corrupted."),
    ({"data": True, "all": False}, "Integrity check failed, metadata may be corrupted."),
    ({"data": False, "all": True}, "Integrity check failed, data may be corrupted."),
]


@pytest.mark.parametrize(("integrity", "message"), WRONG)
def test_a_failed_check_warns_or_raises(
    here: Path, monkeypatch: pytest.MonkeyPatch, integrity: dict[str, bool], message: str
) -> None:
    client = Canned(pack(write_dataset(here.parent / "packed")))
    monkeypatch.setattr("archive_tui.datasafe.Manifest.check_integrity", lambda self: dict(integrity))
    with pytest.warns(UserWarning) as caught:
        folder = client.download(LOI)
    assert [str(each.message) for each in caught] == [message]
    assert caught[0].filename == __file__
    assert Path(folder).is_dir()
    client.damage_is_an_error = True
    before = left_behind(here)
    with pytest.raises(IntegrityError) as raised:
        client.download(LOI)
    assert raised.value.message == message
    assert left_behind(here) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"foo": "changed"}, WRONG[0][1]),
        ({"bar": "changed"}, WRONG[1][1]),
        ({"more": "nobody listed it"}, WRONG[1][1]),
    ],
)
def test_damage_is_warned_of(here: Path, change: dict[str, Any], message: str) -> None:
    folder = write_dataset(here.parent / "packed")
    write_files(folder, change)
    with pytest.warns(UserWarning, match=message):
        Canned(pack(folder)).download(LOI)


def test_a_download_that_fails_leaves_no_folder(here: Path) -> None:
    folder = write_dataset(here.parent / "packed", {"foo": "data" * 1000})
    content = pack(folder)
    (folder / "MANIFEST.yaml").unlink()
    without = pack(folder)
    (folder / "MANIFEST.yaml").write_text("foo")
    for bad, kind in (
        (b"<html>", IntegrityError),
        (b"", IntegrityError),
        (content[:-30], IntegrityError),
        (without, MissingContentError),
        (pack(folder), ManifestError),
    ):
        with pytest.raises(kind):
            Canned(bad).download(LOI)
        assert left_behind(here) == []


def test_a_damaged_archive_is_an_error_and_no_warning(here: Path, tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files_below(write_dataset(tmp_path / "packed", {"foo": "content"}, {})).items():
            archive.writestr(name, data)
    content = target.getvalue()
    with pytest.raises(IntegrityError, match="damaged: foo"):
        Canned(content.replace(b"content", b"CONTENT", 1)).download(LOI)
    assert left_behind(here) == []


def test_a_base_client_has_nothing_to_download() -> None:
    with pytest.raises(MissingContentError):
        Client().download(LOI)
