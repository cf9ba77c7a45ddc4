from __future__ import annotations

import errno
import os
import stat
import tracemalloc
from pathlib import Path

import pytest

from archive_tui.errors import (
    AccessDenied,
    InvalidName,
    ObjectExists,
    SourceChanged,
    StorageError,
    StorageUnavailable,
)
from archive_tui.names.object_keys import TEMPORARY_PREFIX
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from tests.conformance.object_store_suite import ObjectStoreSuite, listed_keys, put_bytes, read_all, shown


class TestFolderStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "archive")

    def leftovers(self, store: ObjectStore) -> list[str]:
        assert isinstance(store, FolderStore)
        return [str(path) for path in store.root.rglob(f"{TEMPORARY_PREFIX}*")]


class TestOwnFolder(TestFolderStore):
    """A person's folder: objects stay writable, links are entered."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "own", read_only_objects=False)


class TestFolderWithoutHardLinks(TestFolderStore):
    """As on exFAT and some shares."""

    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
        def refuse(*args: object, **kwargs: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)
        return FolderStore(tmp_path / "exfat")


@pytest.fixture
def archive(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "archive")


@pytest.fixture
def own(tmp_path: Path) -> FolderStore:
    (tmp_path / "own").mkdir()
    return FolderStore(tmp_path / "own", read_only_objects=False)


def count_open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


# ---- names of the place


def test_identity_is_the_absolute_path() -> None:
    assert FolderStore(Path("/")).identity == "file://"
    assert FolderStore(Path("/data/archive/")).identity == "file:///data/archive"
    assert FolderStore(Path("archive")).identity == f"file://{Path.cwd()}/archive"
    assert FolderStore(Path("/data/x/../archive")).identity == "file:///data/archive"


def test_local_path_of_a_key(archive: FolderStore) -> None:
    put_bytes(archive, "a/b")
    assert archive.local_path("a/b") == archive.root / "a" / "b"
    with pytest.raises(InvalidName):
        archive.local_path("../b")


def test_root_that_does_not_exist_lists_empty_and_is_made_by_a_put(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "not" / "yet")
    assert list(store.list()) == []
    store.probe()
    store.delete("key")
    assert list(tmp_path.iterdir()) == []
    put_bytes(store, "a/b")
    assert read_all(store, "a/b") == b"content"


# ---- permissions


def test_objects_of_an_archive_are_read_only_and_those_of_a_person_not(archive: FolderStore, own: FolderStore) -> None:
    for store, expected in ((archive, 0), (own, stat.S_IWUSR)):
        put_bytes(store, "first")
        store.put("first", [b"second"], overwrite=True)
        assert store.local_path("first").stat().st_mode & stat.S_IWUSR == expected


def test_unreadable_folder_is_access_denied(own: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    true_open = os.open

    def deny(path: object, *args: int, **kwargs: int) -> int:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return true_open(path, *args, **kwargs)  # type: ignore[arg-type]

    (own.root / "closed").mkdir()
    monkeypatch.setattr(os, "open", deny)
    for act in (
        lambda: list(own.list("closed/")),
        lambda: list(own.list()),
        lambda: own.info("closed/x"),
        lambda: put_bytes(own, "closed/x"),
    ):
        with pytest.raises(AccessDenied) as caught:
            act()
        assert caught.value.hint
    assert shown(own) == {"closed/": None}


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_folder_that_fails_is_never_listed_as_empty(
    own: FolderStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    put_bytes(own, "a/b")
    monkeypatch.setattr(os, "scandir", fail)
    expected = {errno.EACCES: AccessDenied, errno.ESTALE: StorageUnavailable}.get(code, StorageError)
    with pytest.raises(expected):
        list(own.list())


# ---- reading and listing


def test_file_that_grows_is_read_as_it_was_or_not_at_all(own: FolderStore) -> None:
    path = own.root / "log"
    path.write_bytes(b"one")
    with own.open("log") as reader:
        path.write_bytes(b"one and two")
        with pytest.raises(StorageError) as caught:
            reader.read()
    assert caught.value.code == "object-changed"


def test_file_that_is_cut_is_no_end(own: FolderStore) -> None:
    path = own.root / "log"
    path.write_bytes(bytes(100))
    with own.open("log") as reader:
        assert len(reader.read(10)) == 10
        os.truncate(path, 5)
        with pytest.raises(StorageError) as caught:
            reader.read()
    assert caught.value.code == "object-changed"


@pytest.mark.parametrize("count", [5_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_listing_streams(archive: FolderStore, count: int) -> None:
    archive.root.mkdir()
    for number in range(count):
        os.mknod(archive.root / f"{number:07d}")
    tracemalloc.start()
    try:
        assert sum(isinstance(entry, ObjectInfo) for entry in archive.list()) == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000


def test_abandoned_listing_closes_its_folders(archive: FolderStore) -> None:
    put_bytes(archive, "a/b/c")
    before = count_open_files()
    listing = archive.list()
    next(listing)
    del listing
    assert count_open_files() == before


def test_nothing_stays_open(archive: FolderStore) -> None:
    put_bytes(archive, "key", bytes(9 << 20))
    before = count_open_files()
    read_all(archive, "key")
    listed_keys(archive)
    for act in (lambda: put_bytes(archive, "key"), lambda: archive.put("a/b", [bytes(9 << 20)], 1)):
        with pytest.raises((ObjectExists, SourceChanged)):
            act()
    put_bytes(archive, "other", bytes(9 << 20))
    assert count_open_files() == before


def test_temporary_things_are_not_listed(archive: FolderStore) -> None:
    put_bytes(archive, "key")
    (archive.root / ".archive-tui-x.part").write_bytes(b"")
    (archive.root / ".archive-tui-stage.part").mkdir()
    (archive.root / ".archive-tui-stage.part" / "file").write_bytes(b"")
    assert listed_keys(archive) == ["key"]
    assert shown(archive) == {"key": 7}
    assert shown(archive, ".archive-tui-stage.part/") == {}


def test_a_file_in_the_place_of_the_archive_is_not_an_empty_archive(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("not a folder")
    with pytest.raises(StorageError, match="Not a folder") as caught:
        list(FolderStore(tmp_path / "archive").list())
    assert "mounted" in caught.value.hint
