from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.errors import ConfigurationError, InvalidName, ObjectExists, StorageError
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.new_folder import make_folder
from tests.conformance.store_samples import put_bytes


def test_it_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_folder(FolderStore(tmp_path / "root"), "a/b/c/")
    assert (tmp_path / "root/a/b/c").is_dir()


def test_what_is_there_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "root")
    put_bytes(store, "d/file", b"x")
    with pytest.raises(ObjectExists, match="A folder of this name"):
        make_folder(store, "d")
    with pytest.raises(ObjectExists, match="Something else of this name"):
        make_folder(store, "d/file/")
    with pytest.raises(StorageError):
        make_folder(store, "d/file/below/deep")
    assert [path.name for path in (tmp_path / "root").rglob("*")] == ["d", "file"]


@pytest.mark.parametrize("name", ["", "..", "a/../b", "/a", "a\nb", ".archive-tui-x.part"])
def test_hostile_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidName):
        make_folder(FolderStore(tmp_path / "root"), name)
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path / "outside")
    with pytest.raises(StorageError):
        make_folder(FolderStore(tmp_path / "root"), "link/new")
    assert list((tmp_path / "outside").iterdir()) == []
    make_folder(FolderStore(tmp_path / "root", read_only_objects=False), "link/new")
    assert (tmp_path / "outside/new").is_dir()


def test_an_object_store_has_none() -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_folder(MemoryStore(), "a/")
    assert caught.value.code == "folders-by-name"
    assert "first object" in caught.value.hint
