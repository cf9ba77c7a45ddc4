"""Server: reserve, upload, download, update, with each error of the contract in its words."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.opening import open_store_safe
from archive_tui.datasafe import (
    ArchiveError,
    ExistingFileError,
    IntegrityError,
    InvalidLoiError,
    LoiChecker,
    LoiNotFoundError,
    MissingContentError,
    MissingLoiError,
    NoFileError,
    Parser,
    Server,
    StorageBackend,
)
from archive_tui.objects.memory import MemoryStore
from tests.contracts.datasafe_programs import KIND, LOI, RIGHT, files_below, pack, unpack, write_dataset


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=["folder", "object store"])
def server(request: pytest.FixtureRequest) -> Server:
    return Server() if request.param == "folder" else Server(open_store_safe(MemoryStore(), "safe"))


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return pack(write_dataset(tmp_path / "packed", {"a.dat": "1", "sub/b.dat": "2"}, {"a.info": "x"}))


@pytest.fixture
def better(tmp_path: Path) -> bytes:
    return pack(write_dataset(tmp_path / "better", {"a.dat": "3"}, {}))


def test_attributes() -> None:
    server = Server()
    assert isinstance(server.storage, StorageBackend)
    assert isinstance(server.loi, Parser)


def test_new_reserves_the_next_number(server: Server) -> None:
    assert server.new(KIND) == f"{KIND}1"
    assert server.new(LOI) == f"{KIND}2"
    assert server.new(f"{KIND}77") == f"{KIND}3"
    assert server.new(KIND.rstrip("/")) == f"{KIND}4"
    assert server.new("42.1001/ds/exp/2020-04-25/trepr") == "42.1001/ds/exp/2020-04-25/trepr/1"
    assert LoiChecker().check(server.new(LOI))
    assert server.loi.issuer == "1001"


def test_new_makes_empty_folders(here: Path) -> None:
    server = Server()
    server.new(KIND)
    server.new(KIND)
    folders = [here / "datasafe_root" / "exp" / "sa" / "42" / "cwepr" / number for number in "12"]
    assert [list(folder.iterdir()) for folder in folders] == [[], []]
    assert server.storage.get_index() == ["exp/sa/42/cwepr/1", "exp/sa/42/cwepr/2"]


def test_the_root_can_be_set(here: Path) -> None:
    server = Server()
    server.storage.root_directory = "elsewhere"
    server.new(KIND)
    assert (here / "elsewhere" / "exp" / "sa" / "42" / "cwepr" / "1").is_dir()
    assert not (here / "datasafe_root").exists()


NOT_DS = "LOI is not a datasafe LOI."
NOT_EXP = "Loi ist not a valid experiment LOI."
NOT_VALID = "String is not a valid LOI."


@pytest.mark.parametrize(
    ("loi", "kind", "message"),
    [
        ("", MissingLoiError, "No LOI provided."),
        ("foo", InvalidLoiError, NOT_VALID),
        ("42.1001/rec/42", InvalidLoiError, NOT_DS),
        ("42.1001/ds/calc", InvalidLoiError, NOT_EXP),
        ("42.1001/ds/exp/foo", InvalidLoiError, NOT_VALID),
        (f"{LOI}/../../x", InvalidLoiError, NOT_VALID),
        (f"{KIND}..", InvalidLoiError, NOT_VALID),
        ("42.1001/ds/exp/sa/٤٢/cwepr", InvalidLoiError, NOT_VALID),
        ("4" * 10_000, InvalidLoiError, NOT_VALID),
    ],
)
def test_new_refuses(server: Server, loi: str, kind: type[ArchiveError], message: str) -> None:
    with pytest.raises(kind) as caught:
        server.new(loi)
    assert caught.value.message == str(caught.value) == message


def test_one_new_switches_no_check_off(server: Server, content: bytes) -> None:
    server.new(LOI)
    for loi in (f"{KIND}foo", KIND, f"{LOI}/../2"):
        for call in (lambda: server.upload(loi, content), lambda: server.download(loi)):  # noqa: B023
            with pytest.raises(InvalidLoiError):
                call()


@pytest.mark.parametrize("verb", ["upload", "download", "update"])
@pytest.mark.parametrize(
    ("loi", "kind", "message"),
    [
        ("", MissingLoiError, "No LOI provided."),
        ("foo", InvalidLoiError, NOT_VALID),
        ("42.1001/rec/42", InvalidLoiError, NOT_DS),
        ("42.1001/ds/foo/bar/baz", InvalidLoiError, NOT_VALID),
        (KIND, InvalidLoiError, NOT_VALID),
        (f"{LOI}/", InvalidLoiError, NOT_VALID),
        (f"{LOI}\n", InvalidLoiError, NOT_VALID),
        (f"{LOI}/../../x", InvalidLoiError, NOT_VALID),
        (LOI, LoiNotFoundError, "LOI does not exist."),
        ("42.1001/ds/calc/geo/1", LoiNotFoundError, "LOI does not exist."),
        ("42.2002/ds/exp/sa/42/cwepr/1", LoiNotFoundError, "LOI does not exist."),
    ],
)
def test_the_loi_is_judged_first(server: Server, verb: str, loi: str, kind: type[ArchiveError], message: str) -> None:
    with pytest.raises(kind) as caught:
        getattr(server, verb)(loi)
    assert caught.value.message == message


def test_upload_and_download(server: Server, content: bytes) -> None:
    server.new(LOI)
    with pytest.raises(MissingContentError, match=r"^LOI does not have content\.$"):
        server.download(LOI)
    assert server.upload(loi=LOI, content=content) == RIGHT
    found = server.download(LOI)
    assert unpack(found) == unpack(content)
    assert b"".join(server.stream(LOI)) == found
    with server.open(LOI) as file:
        assert file.read() == found
    with pytest.raises(ExistingFileError, match=r"^Directory not empty\.$"):
        server.upload(LOI, content)
    with pytest.raises(ExistingFileError):
        server.upload(LOI, b"")


def test_what_is_handed_out_is_stored_sorted_and_the_same_each_time(server: Server, content: bytes) -> None:
    server.new(LOI)
    server.upload(LOI, content)
    with zipfile.ZipFile(io.BytesIO(server.download(LOI))) as archive:
        members = archive.infolist()
    assert [member.filename for member in members] == ["MANIFEST.yaml", "a.dat", "a.info", "sub/b.dat"]
    assert {(member.compress_type, member.date_time) for member in members} == {(0, (1980, 1, 1, 0, 0, 0))}
    other = server.new(KIND)
    server.upload(other, content)
    assert server.download(other) == server.download(LOI)


@pytest.mark.parametrize("make", [lambda c: c, bytearray, memoryview, io.BytesIO, lambda c: iter([c[:9], c[9:]])])
def test_content_comes_as_it_likes(server: Server, content: bytes, better: bytes, make: object) -> None:
    server.new(LOI)
    assert server.upload(LOI, make(content)) == RIGHT  # type: ignore[operator]
    assert server.update(LOI, make(better)) == RIGHT  # type: ignore[operator]
    assert unpack(server.download(LOI)) == unpack(better)


def test_without_content(server: Server, content: bytes) -> None:
    server.new(LOI)
    for nothing in (None, b"", io.BytesIO(), iter([])):
        with pytest.raises(MissingContentError, match=r"^No content provided to deposit\.$"):
            server.upload(LOI, nothing)
    server.upload(LOI, content)
    for nothing in (None, b""):
        with pytest.raises(MissingContentError, match=r"^No content provided to deposit\.$"):
            server.update(LOI, nothing)
    assert unpack(server.download(LOI)) == unpack(content)


def test_update(server: Server, content: bytes, better: bytes) -> None:
    server.new(LOI)
    with pytest.raises(NoFileError, match=r"^Directory empty$"):
        server.update(LOI, content)
    server.upload(LOI, content)
    assert server.update(LOI, better) == RIGHT
    assert unpack(server.download(LOI)) == unpack(better)


def test_update_replaces_what_somebody_has_damaged(here: Path, content: bytes) -> None:
    server = Server()
    server.new(LOI)
    server.upload(LOI, content)
    folder = here / "datasafe_root" / "exp" / "sa" / "42" / "cwepr" / "1"
    (folder / "MANIFEST.yaml").rename(folder / "foo.yaml")
    assert server.update(LOI, content) == RIGHT
    assert not (folder / "foo.yaml").exists()
    assert unpack(server.download(LOI)) == unpack(content)


def test_a_refused_deposit_leaves_nothing_and_does_not_block_the_next(server: Server, content: bytes) -> None:
    server.new(LOI)
    for bad in (b"no zip at all", content[:-25], content[:100], content.replace(b"a.dat", b"b.dat")):
        with pytest.raises(IntegrityError):
            server.upload(LOI, bad)
        with pytest.raises(MissingContentError):
            server.download(LOI)
    assert server.upload(LOI, content) == RIGHT
    with pytest.raises(IntegrityError):
        server.update(LOI, content[:-25])
    assert unpack(server.download(LOI)) == unpack(content)


def test_a_stream_that_breaks_leaves_nothing(here: Path, content: bytes) -> None:
    def broken() -> object:
        yield content[:50]
        raise ConnectionResetError("gone")

    server = Server()
    server.new(LOI)
    before = files_below(here)
    with pytest.raises(ConnectionResetError):
        server.upload(LOI, broken())  # type: ignore[arg-type]
    assert files_below(here) == before
    assert server.upload(LOI, content) == RIGHT


def test_issuers_never_share_a_place(server: Server, content: bytes, better: bytes) -> None:
    other = "42.2002/ds/exp/sa/42/cwepr/1"
    assert (server.new(LOI), server.new(other)) == (LOI, other)
    server.upload(LOI, content)
    server.upload(other, better)
    assert unpack(server.download(LOI)) == unpack(content)
    assert unpack(server.download(other)) == unpack(better)


def test_64_at_once_get_64_numbers(server: Server) -> None:
    found: list[str] = []
    barrier = threading.Barrier(64)

    def reserve() -> None:
        barrier.wait()
        found.append(server.new(KIND))

    threads = [threading.Thread(target=reserve) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"{KIND}{number}" for number in range(1, 65))


def test_a_deposit_needs_no_current_folder(here: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.chdir", lambda path: pytest.fail("the current folder belongs to the program"))
    server = Server()
    server.new(LOI)
    server.upload(LOI, content)
    server.update(LOI, content)
    server.download(LOI)
