from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from archive_tui.errors import ObjectNotFound, StorageFull, TargetExists
from archive_tui.objects.folder import swap as folder_swap
from archive_tui.objects.folder.swap import (
    fill_folder,
    find_interrupted_swaps,
    finish_interrupted_swap,
    staged_folder,
    swap_folder,
    sync_tree,
)
from archive_tui.objects.folder.temporary_entries import remove_abandoned
from tests.objects.dying_child import every_death, run_and_die

# Python 3.12 warns about a fork beside threads, which servers of other tests may have; the child calls the system only.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def fill(folder: Path, text: str) -> None:
    (folder / "deep").mkdir()
    for name in ("a", "b", "deep/c"):
        (folder / name).write_text(text)


def content(folder: Path) -> str:
    """The text that all files hold, or what is wrong with them."""
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    texts = {(folder / name).read_text() for name in files}
    return texts.pop() if files == ["a", "b", "deep/c"] and len(texts) == 1 else f"broken: {files} {texts}"


def swap_in(target: Path, text: str, *, overwrite: bool = False) -> None:
    with staged_folder(target.parent) as stage:
        fill(stage, text)
        swap_folder(stage, target, overwrite=overwrite)


def test_new_folder_appears_whole(tmp_path: Path) -> None:
    swap_in(tmp_path / "parent" / "target", "new")
    assert content(tmp_path / "parent" / "target") == "new"
    assert [path.name for path in (tmp_path / "parent").iterdir()] == ["target"]


def test_existing_folder_is_replaced_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "target"
    swap_in(target, "old")
    with pytest.raises(TargetExists):
        swap_in(target, "new")
    assert content(target) == "old"
    swap_in(target, "new", overwrite=True)
    assert content(target) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_file_of_that_name_is_replaced_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("a file")
    with pytest.raises(TargetExists):
        swap_in(target, "new")
    swap_in(target, "new", overwrite=True)
    assert content(target) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_stage_that_is_not_finished_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), staged_folder(tmp_path) as stage:
        fill(stage, "half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_stage_of_a_living_process_is_not_removed(tmp_path: Path) -> None:
    with staged_folder(tmp_path) as stage:
        assert remove_abandoned(tmp_path) == 0
        assert stage.is_dir()


def test_stage_that_cannot_be_made_durable_is_not_swapped_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    swap_in(tmp_path / "target", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        swap_in(tmp_path / "target", "new", overwrite=True)
    assert content(tmp_path / "target") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


@pytest.mark.parametrize("limit", [0, 1000])
def test_sync_tree_reaches_every_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    fill(tmp_path, "text")
    (tmp_path / "link").symlink_to("absent")
    synced: list[str] = []
    true_fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(tmp_path)))
        true_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(folder_swap, "SYNC_ONE_BY_ONE", limit)
    sync_tree(tmp_path)
    if limit:
        assert sorted(synced) == [".", "a", "b", "deep", "deep/c"]


# ---- an empty folder is filled


def fill_in(target: Path, text: str) -> None:
    with staged_folder(target.parent) as stage:
        fill(stage, text)
        fill_folder(stage, target)


def test_empty_folder_is_filled_once(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    fill_in(target, "new")
    with pytest.raises(TargetExists):
        fill_in(target, "newer")
    assert content(target) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_only_a_folder_that_is_there_is_filled(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ObjectNotFound):
        fill_in(tmp_path / "absent", "new")
    for name in ("link", "file"):
        with pytest.raises(FileExistsError):
            fill_in(tmp_path / name, "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "file", "link"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_folder_that_is_aside_for_a_swap_is_not_filled(tmp_path: Path) -> None:
    target = tmp_path / "place" / "target"
    interrupt_in_the_middle(target)
    assert find_interrupted_swaps(target.parent) == ["target"]
    with pytest.raises(TargetExists):
        fill_in(target, "another")
    assert content(target) in ("old", "new")
    assert find_interrupted_swaps(target.parent) == []


@pytest.mark.parametrize("note", ["", "no json", "[]", "{}", '{"target": "../target"}', '{"target": 7}', "[" * 60_000])
def test_note_that_lies_names_no_target(tmp_path: Path, note: str) -> None:
    (tmp_path / folder_swap._note_name("target")).write_text(note)
    (tmp_path / folder_swap._note_name("link")).symlink_to("/etc/hostname")
    assert find_interrupted_swaps(tmp_path) == []


# ---- killed at every step


def test_killed_at_every_step_neither_is_ever_gone(tmp_path: Path) -> None:
    target = tmp_path / "place" / "target"

    def prepare() -> None:
        shutil.rmtree(target.parent, ignore_errors=True)
        swap_in(target, "old")

    for number in every_death(lambda: swap_in(target, "new", overwrite=True), prepare):
        was_visible = target.exists()
        found = finish_interrupted_swap(target)
        assert was_visible or found, number
        assert content(target) in ("old", "new"), number
        assert not finish_interrupted_swap(target)
        remove_abandoned(target.parent)
        assert [path.name for path in target.parent.iterdir()] == ["target"], number


def test_killed_at_every_step_the_same_call_succeeds(tmp_path: Path) -> None:
    target = tmp_path / "place" / "target"

    def prepare() -> None:
        shutil.rmtree(target.parent, ignore_errors=True)
        swap_in(target, "old")

    for number in every_death(lambda: swap_in(target, "new", overwrite=True), prepare):
        swap_in(target, "newer", overwrite=True)
        assert content(target) == "newer", number
        assert [path.name for path in target.parent.iterdir()] == ["target"], number


def test_killed_while_finishing_and_finished_again(tmp_path: Path) -> None:
    target = tmp_path / "place" / "target"
    interrupt_in_the_middle(target)
    shutil.copytree(target.parent, tmp_path / "interrupted", symlinks=True)
    for number in range(1, 100):
        shutil.rmtree(target.parent)
        shutil.copytree(tmp_path / "interrupted", target.parent, symlinks=True)
        lived = run_and_die(number, lambda: finish_interrupted_swap(target) and None)
        finish_interrupted_swap(target)
        assert content(target) == "new", number
        if lived:
            assert number > 5
            return
    pytest.fail("the child never came to its end")


def interrupt_in_the_middle(target: Path) -> None:
    """Leaves what a process leaves that was killed when the old one was aside and the new one not yet in."""
    for number in range(1, 500):
        shutil.rmtree(target.parent, ignore_errors=True)
        swap_in(target, "old")
        assert not run_and_die(number, lambda: swap_in(target, "new", overwrite=True))
        if not target.exists():
            return


def test_stage_that_is_gone_brings_the_old_one_back(tmp_path: Path) -> None:
    target = tmp_path / "place" / "target"
    interrupt_in_the_middle(target)
    remove_abandoned(target.parent)
    assert finish_interrupted_swap(target)
    assert content(target) == "old"
    assert [path.name for path in target.parent.iterdir()] == ["target"]


@pytest.mark.parametrize("note", ["", "no json", "[]", '{"stage": "../elsewhere"}', '{"stage": "other"}', "{}"])
def test_note_that_lies_brings_the_old_one_back(tmp_path: Path, note: str) -> None:
    target = tmp_path / "place" / "target"
    swap_in(target, "old")
    (tmp_path / "elsewhere").mkdir()
    (target.parent / "other").mkdir()
    target.rename(target.parent / folder_swap._aside_name("target"))
    (target.parent / folder_swap._note_name("target")).write_text(note)
    assert finish_interrupted_swap(target)
    assert content(target) == "old"


def test_nothing_to_finish(tmp_path: Path) -> None:
    assert not finish_interrupted_swap(tmp_path / "target")
    assert not finish_interrupted_swap(tmp_path / "absent" / "target")
