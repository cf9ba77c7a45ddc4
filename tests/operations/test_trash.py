"""Deleting in such a way that it can be had back: the trash of this machine, and stores that keep versions."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from archive_tui.errors import ConfigurationError, StorageError
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import Support, Traits
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.deleting import delete_objects, trash_objects
from archive_tui.operations.trash import Trash, find_trash
from tests.conformance.store_samples import listed_keys, put_bytes
from tests.jobs.kinds.job_work import MemoryJournal


@pytest.fixture
def home_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "Trash"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(tmp_path / "root", read_only_objects=False, enters_symlinks=False)
    for key in ("a.txt", "d/b.bin", "d/e/c.csv", "dd/x"):
        put_bytes(made, key, key.encode())
    return made


def test_names_go_as_a_whole_and_can_be_had_back(store: FolderStore, home_trash: Path, tmp_path: Path) -> None:
    receipt = trash_objects(store, ["d/", "a.txt"], confirmed=3)
    assert (receipt.deleted, receipt.bytes, receipt.in_trash, receipt.finding_count) == (3, 21, True, 0)
    assert receipt.sentence == "Moved to the trash: 3 objects, 21 B"
    assert listed_keys(store) == ["dd/x"]
    assert (home_trash / "files/d/e/c.csv").read_bytes() == b"d/e/c.csv"
    info = (home_trash / "info/d.trashinfo").read_text().splitlines()
    assert info[0] == "[Trash Info]"
    assert unquote(info[1].removeprefix("Path=")) == str(tmp_path / "root" / "d")
    assert info[2].startswith("DeletionDate=")


def test_nothing_in_the_trash_is_replaced(store: FolderStore, home_trash: Path) -> None:
    for number in range(3):
        put_bytes(store, "same.txt", b"%d" % number)
        trash_objects(store, ["same.txt"])
    assert [(home_trash / "files" / name).read_bytes() for name in ("same.txt", "same (2).txt", "same (3).txt")] == [
        b"0",
        b"1",
        b"2",
    ]
    (home_trash / "info/lost.trashinfo").unlink(missing_ok=True)
    (home_trash / "files/lost").write_text("left without its info")
    put_bytes(store, "lost", b"new")
    trash_objects(store, ["lost"])
    assert (home_trash / "files/lost").read_text() == "left without its info"


def test_links_read_only_files_and_odd_names(store: FolderStore, home_trash: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (tmp_path / "outside").write_text("mine")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "broken").symlink_to("nowhere")
    (root / "a.txt").chmod(0o444)
    odd = "ä b%\n" + "x" * 240
    (root / odd).write_text("odd")
    receipt = trash_objects(store, ["link", "broken", "a.txt", odd])
    assert receipt.finding_count == 0
    assert (tmp_path / "outside").read_text() == "mine"
    assert (home_trash / "files/link").is_symlink()
    assert len(list((home_trash / "files").iterdir())) == len(list((home_trash / "info").iterdir())) == 4


def test_the_whole_folder_means_what_lies_in_it(store: FolderStore, home_trash: Path, tmp_path: Path) -> None:
    assert trash_objects(store, [""], base="d/").deleted == 2
    assert list((tmp_path / "root" / "d").iterdir()) == []
    assert trash_objects(store, [""]).deleted == 2
    assert list((tmp_path / "root").iterdir()) == []


def test_what_is_protected_or_more_than_agreed_keeps_everything(store: FolderStore, home_trash: Path) -> None:
    with pytest.raises(StorageError, match="were confirmed"):
        trash_objects(store, [""], confirmed=3)
    put_bytes(store, "d/winds.1.0.0.zip", b"published")
    with pytest.raises(StorageError, match="a published version is never deleted this way"):
        trash_objects(store, ["d/"])
    assert len(listed_keys(store)) == 5
    assert not home_trash.exists()


def test_without_a_trash_nothing_is_deleted(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError) as caught:
        trash_objects(store, ["d/", "a.txt"])
    assert caught.value.code == "trash-unavailable"
    assert len(listed_keys(store)) == 4


def test_a_rename_that_fails_leaves_no_claim(
    store: FolderStore, home_trash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(StorageError, match="cannot go to the trash"):
        trash_objects(store, ["a.txt"])
    assert list((home_trash / "info").iterdir()) == []
    assert "a.txt" in listed_keys(store)


def test_an_interrupted_one_goes_on(store: FolderStore, home_trash: Path) -> None:
    journal = MemoryJournal()
    trash_objects(store, ["d/"], journal=journal)
    receipt = trash_objects(store, ["d/"], journal=journal)
    assert (receipt.deleted, receipt.gone_before, receipt.finding_count) == (0, 2, 0)
    assert trash_objects(store, ["d/"]).finding_count == 1


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="needs a second file system at /dev/shm")
def test_another_file_system_has_its_own_trash(home_trash: Path) -> None:
    folder = Path("/dev/shm") / f"archive-tui-test-{os.getpid()}"
    own = Path(f"/dev/shm/.Trash-{os.getuid()}")
    was_there = own.exists()
    try:
        store = FolderStore(folder, read_only_objects=False)
        put_bytes(store, folder.name, b"x")
        assert trash_objects(store, [folder.name]).deleted == 1
        info = (own / "info" / f"{folder.name}.trashinfo").read_text()
        assert f"Path={folder.name}/{folder.name}\n" in info
        assert (own / "files" / folder.name).read_bytes() == b"x"
    finally:
        for path in (own / "files" / folder.name, own / "info" / f"{folder.name}.trashinfo"):
            path.unlink(missing_ok=True)
        for path in (folder, *(() if was_there else (own / "files", own / "info", own))):
            path.rmdir()


class _Versioned(WrappedStore):
    @property
    def traits(self) -> Traits:
        return replace(self.inner.traits, versioning=Support.YES)

    def probe(self) -> Traits:
        return self.traits


def test_a_store_with_versions_keeps_them_and_says_so() -> None:
    store = MemoryStore()
    put_bytes(store, "x", b"x")
    assert (find_trash(store), find_trash(_Versioned(store))) == (Trash.NONE, Trash.VERSIONS)
    with pytest.raises(ConfigurationError) as caught:
        trash_objects(store, ["x"])
    assert caught.value.code == "no-trash"
    assert listed_keys(store) == ["x"]
    receipt = trash_objects(_Versioned(store), ["x"])
    assert (receipt.deleted, receipt.in_trash) == (1, False)
    assert "earlier versions" in receipt.notes[0]
    assert delete_objects(store, ["x"]).notes == ()


def test_a_folder_has_the_trash_of_its_machine(store: FolderStore) -> None:
    assert find_trash(WrappedStore(store)) is Trash.FOLDER
