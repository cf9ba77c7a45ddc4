"""What else lies in a folder: links, pipes, names that are no text; and keys that try to climb out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.errors import (
    AccessDenied,
    InvalidName,
    ObjectExists,
    ObjectNotFound,
)
from archive_tui.objects.folder.store import FolderStore
from tests.conformance.object_store_suite import listed_keys, put_bytes, read_all, shown


@pytest.fixture
def archive(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "archive")


@pytest.fixture
def own(tmp_path: Path) -> FolderStore:
    (tmp_path / "own").mkdir()
    return FolderStore(tmp_path / "own", read_only_objects=False)


def make_odd_entries(root: Path, outside: Path) -> None:
    outside.mkdir()
    (outside / "file").write_bytes(b"outside")
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "inner").write_bytes(b"inner")
    (root / "to-folder").symlink_to(outside)
    (root / "to-file").symlink_to(outside / "file")
    (root / "broken").symlink_to(outside / "absent")
    (root / "circle").symlink_to(root)
    os.mkfifo(root / "pipe")
    (root / "empty").mkdir()


def test_person_enters_links_and_sees_broken_ones(own: FolderStore, tmp_path: Path) -> None:
    make_odd_entries(own.root, tmp_path / "outside")
    assert shown(own) == {
        "broken": 0,
        "circle/": None,
        "empty/": None,
        "folder/": None,
        "to-file": 7,
        "to-folder/": None,
    }
    assert shown(own, "to-folder/") == {"to-folder/file": 7}
    assert shown(own, recursive=True) == {"broken": 0, "folder/inner": 5, "to-file": 7}
    assert read_all(own, "to-file") == read_all(own, "to-folder/file") == b"outside"
    assert own.info("to-file").size == 7
    for key in ("broken", "pipe", "folder", "empty", "circle"):
        with pytest.raises(ObjectNotFound):
            own.open(key)
        with pytest.raises(ObjectNotFound):
            own.info(key)


def test_keys_of_an_archive_never_climb_out_through_links(archive: FolderStore, tmp_path: Path) -> None:
    make_odd_entries(archive.root, tmp_path / "outside")
    for act in (
        lambda: archive.open("to-folder/file"),
        lambda: archive.info("to-folder/file"),
        lambda: archive.open("to-file"),
        lambda: archive.info("to-file"),
        lambda: put_bytes(archive, "to-folder/new"),
        lambda: put_bytes(archive, "to-folder/deeper/new"),
        lambda: archive.delete("to-folder/file"),
        lambda: archive.put("circle/new", [b"x"], overwrite=True),
        lambda: list(archive.list("to-folder/")),
    ):
        with pytest.raises(AccessDenied) as caught:
            act()
        assert caught.value.code == "symlink-in-path"
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["file"]
    links = {"broken": 0, "circle": 0, "to-file": 0, "to-folder": 0}
    assert shown(archive) == {**links, "empty/": None, "folder/": None}
    assert shown(archive, recursive=True) == {**links, "folder/inner": 5}


def test_link_takes_its_name(archive: FolderStore, tmp_path: Path) -> None:
    make_odd_entries(archive.root, tmp_path / "outside")
    for key in ("to-file", "broken", "to-folder"):
        with pytest.raises(ObjectExists):
            put_bytes(archive, key)
    archive.put("to-file", [b"replaced"], overwrite=True)
    assert (tmp_path / "outside" / "file").read_bytes() == b"outside"
    assert read_all(archive, "to-file") == b"replaced"
    archive.delete("broken")
    assert "broken" not in shown(archive)


def test_parent_that_becomes_a_link_in_the_middle_of_a_put_leads_nowhere(archive: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()

    def turning() -> Iterator[bytes]:
        yield b"content"
        (archive.root / "folder").rename(archive.root / "moved")
        (archive.root / "folder").symlink_to(tmp_path / "outside")

    archive.put("folder/key", turning())
    assert list((tmp_path / "outside").iterdir()) == []
    assert read_all(archive, "moved/key") == b"content"


def test_names_that_are_not_text_are_listed_and_read(own: FolderStore) -> None:
    name = os.fsdecode(b"latin-\xe9.txt")
    (own.root / name).write_bytes(b"content")
    (own.root / "line\nbreak").write_bytes(b"x")
    assert shown(own) == {name: 7, "line\nbreak": 1}
    assert read_all(own, name) == b"content"
    assert own.info("line\nbreak").size == 1
    own.delete(name)
    assert shown(own) == {"line\nbreak": 1}


@pytest.mark.parametrize("key", ["", "/etc/passwd", "..", "a/../../b", "./a", "a//b", "nul\0", "\ud800", "a/"])
def test_reading_never_climbs_out(own: FolderStore, key: str) -> None:
    for act in (own.open, own.info, own.delete):
        with pytest.raises(InvalidName):
            act(key)


def test_object_and_folder_of_one_name_exclude_each_other(archive: FolderStore) -> None:
    put_bytes(archive, "a")
    put_bytes(archive, "d/x")
    for key in ("a/b", "a/b/c", "d"):
        with pytest.raises(ObjectExists) as caught:
            put_bytes(archive, key)
        assert caught.value.hint
    with pytest.raises(ObjectExists):
        archive.put("d", [b"x"], overwrite=True)
    assert sorted(listed_keys(archive)) == ["a", "d/x"]
