from __future__ import annotations

import threading
from pathlib import Path

from archive_tui.objects.folder.empty_folders import remove_empty_folders
from archive_tui.objects.folder.store import FolderStore
from tests.conformance.store_samples import listed_keys, put_bytes


def test_only_what_holds_nothing_goes(tmp_path: Path) -> None:
    for folder in ("d/a/b", "d/c", "other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "d" / "c" / "file").write_text("x")
    assert remove_empty_folders(FolderStore(tmp_path), "d/") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "other"]
    (tmp_path / "d" / "c" / "file").unlink()
    assert remove_empty_folders(FolderStore(tmp_path), "d/") == 2
    assert remove_empty_folders(FolderStore(tmp_path), "") == 1
    assert tmp_path.is_dir()
    assert remove_empty_folders(FolderStore(tmp_path), "absent/") == 0


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside" / "empty").mkdir(parents=True)
    (tmp_path / "root" / "d").mkdir(parents=True)
    (tmp_path / "root" / "d" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "root" / "whole").symlink_to(tmp_path / "outside")
    store = FolderStore(tmp_path / "root", read_only_objects=False)
    assert remove_empty_folders(store, "d/") == 0
    assert remove_empty_folders(store, "whole/") == 0
    assert (tmp_path / "outside" / "empty").is_dir()


def test_deep_trees_need_no_recursion(tmp_path: Path) -> None:
    path = tmp_path
    try:
        for _ in range(700):
            path = path / "d"
            path.mkdir()
    except OSError:
        pass  # the longest path of this system
    assert remove_empty_folders(FolderStore(tmp_path), "") > 500
    assert list(tmp_path.iterdir()) == []


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    end = threading.Event()

    def clean() -> None:
        while not end.is_set():
            remove_empty_folders(store, "d/")

    cleaner = threading.Thread(target=clean)
    cleaner.start()
    try:
        for number in range(200):
            put_bytes(store, f"d/e/{number % 7}/{number}", b"x")
    finally:
        end.set()
        cleaner.join()
    assert len(listed_keys(store)) == 200
