"""What is acknowledged is durable: the file, its name, and every folder on its way; each synced when it has to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive_tui.errors import ObjectExists, StorageError
from archive_tui.objects.folder import paths
from archive_tui.objects.folder.paths import DurableFolders, MadeFolders
from archive_tui.objects.folder.store import FolderStore
from tests.conformance.object_store_suite import listed_keys, put_bytes, read_all

KEY = "object/aa/bb/cccc/dddddddd/name"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What was synced and named, in order: paths below `tmp_path`, files by the word `file`, links by `link`."""
    seen: list[str] = []
    fsync, link = os.fsync, os.link

    def noting_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append(str(path.relative_to(tmp_path)) if path.is_dir() else "file")
        fsync(descriptor)

    def noting_link(*arguments: object, **options: object) -> None:
        seen.append("link")
        link(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "link", noting_link)
    yield seen


def test_new_folders_are_durable_before_the_object_has_its_name(steps: list[str], tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "above" / "root")
    put_bytes(store, KEY)
    root = "above/root"
    assert steps == [
        ".", "above",  # the root and what is above it
        "file",
        root, f"{root}/object", f"{root}/object/aa", f"{root}/object/aa/bb", f"{root}/object/aa/bb/cccc",
        "link", f"{root}/object/aa/bb/cccc/dddddddd",
    ]  # fmt: skip


def test_what_is_known_is_not_synced_again(steps: list[str], tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    put_bytes(store, KEY)
    steps.clear()
    put_bytes(store, "object/aa/bb/eeee/name")
    assert steps == ["file", "object/aa/bb", "link", "object/aa/bb/eeee"]
    steps.clear()
    put_bytes(store, "object/aa/bb/eeee/other")
    assert steps == ["file", "link", "object/aa/bb/eeee"]


def test_folders_that_somebody_else_has_made_are_synced_once(steps: list[str], tmp_path: Path) -> None:
    (tmp_path / "object/aa").mkdir(parents=True)
    store = FolderStore(tmp_path)
    put_bytes(store, "object/aa/name")
    assert steps == ["file", ".", "object", "link", "object/aa"]
    steps.clear()
    put_bytes(store, "object/aa/other")
    assert steps == ["file", "link", "object/aa"]


def test_own_folder_behind_a_link_is_synced_too(steps: list[str], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path / "real")
    store = FolderStore(tmp_path / "root", read_only_objects=False)
    put_bytes(store, "link/new/name")
    assert steps == ["file", "root", "real", "link", "real/new"]
    assert (tmp_path / "real/new/name").read_bytes() == b"content"


def test_remembered_folders_are_bounded(monkeypatch: pytest.MonkeyPatch, steps: list[str], tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "MOST_PLACES", 3)
    store = FolderStore(tmp_path)
    for number in range(5):
        put_bytes(store, f"folder/{number}/name")
    assert len(store._durable._known) <= 3 + 2
    assert steps.count(".") > 1  # forgotten, and so synced again


@pytest.mark.parametrize("failing", ["root", "root/object", "root/object/aa/bb/cccc"])
def test_folder_that_cannot_be_synced_fails_the_put(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str
) -> None:
    fsync = os.fsync
    tried: list[str] = []

    def failing_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path == tmp_path / failing:
            tried.append(str(path))
            raise OSError(5, "Input/output error")
        fsync(descriptor)

    store = FolderStore(tmp_path / "root")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing_fsync)
        with pytest.raises(StorageError):
            put_bytes(store, KEY)
    assert len(tried) == 1
    assert listed_keys(store) == []
    assert [path.name for path in (tmp_path / "root").rglob("*")] == []
    put_bytes(store, KEY)
    assert read_all(store, KEY) == b"content"


def test_root_that_is_a_link_to_nothing_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "root").symlink_to(tmp_path / "nothing")
    with pytest.raises(ObjectExists):
        put_bytes(FolderStore(tmp_path / "root"), "a/b")
    assert not (tmp_path / "nothing").exists()


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)

    def count() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (of this process, while it looks)

    put_bytes(store, "warm/up")
    before = count()
    for number in range(20):
        put_bytes(store, f"a{number}/b/c/d/e")
        with pytest.raises(StorageError):
            put_bytes(store, f"a{number}/b/c/d/e")
        with pytest.raises(ZeroDivisionError):
            store.put(f"f{number}/b/c/d/e", (1 // 0 for _ in range(1)))
        made = MadeFolders(tmp_path, enters_symlinks=False, durable=DurableFolders())
        os.close(made.open_unsynced(f"g{number}/h"))
        made.take_back()
    assert count() == before
    assert not list(tmp_path.glob("g*"))


def test_threads_that_share_new_folders(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    keys = [f"object/{number % 3}/{number % 5}/{number}/name" for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: put_bytes(store, key, key.encode()), keys))
    assert {key: read_all(store, key) for key in keys} == {key: key.encode() for key in keys}


def test_opening_makes_durable_without_being_asked(steps: list[str], tmp_path: Path) -> None:
    made = MadeFolders(tmp_path, enters_symlinks=False)
    os.close(made.open("a/b"))
    assert steps == [".", "a"]
    os.close(MadeFolders(tmp_path, enters_symlinks=False).open("a/b"))
    assert steps == [".", "a"]
