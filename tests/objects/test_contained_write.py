"""Files below a folder that others change meanwhile: whole, durable when told, and never outside."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from archive_tui.errors import AccessDenied, HashError, InvalidName, ObjectExists, StorageError
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.contained_write import NO_PLAIN_FILE, ContainedFolder
from archive_tui.objects.folder.temporary_entries import new_temporary_name
from tests.objects.folder_attacker import swapping

CONTENT = b"some content\n"


def source(content: bytes = CONTENT) -> CheckedSource:
    return CheckedSource([content], digest=hashlib.sha256(content).hexdigest())


@pytest.fixture
def target(tmp_path: Path) -> ContainedFolder:
    (tmp_path / "outside").mkdir()
    return ContainedFolder(tmp_path / "root")


def outside_of(target: ContainedFolder) -> Path:
    return target.root.parent / "outside"


@pytest.mark.parametrize("is_at_hand", [True, False])
def test_a_file_and_its_folders_are_made(target: ContainedFolder, is_at_hand: bool) -> None:
    written = target.write("a/b/c", source(), is_at_hand=is_at_hand)
    assert (target.root / "a/b/c").read_bytes() == CONTENT
    assert target.make_durable("a/b", {"a/b/c": written}) == {}
    assert sorted(path.name for path in target.root.rglob("*")) == ["a", "b", "c"]


def test_the_mode_is_that_of_new_files(target: ContainedFolder) -> None:
    before = os.umask(0o027)
    try:
        target.write("a", source())
    finally:
        os.umask(before)
    assert (target.root / "a").stat().st_mode & 0o777 == 0o640


def test_the_content_is_synced_before_the_name_appears(
    target: ContainedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((target.root / "a").exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    for number in range(5):
        target.write("a" if number == 0 else f"b{number}", source(), is_at_hand=number % 2 == 0)
        assert not synced[0]
        assert not target.turn.locked()


def test_one_sync_of_a_folder_is_enough_for_all_its_files(
    target: ContainedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = {f"d/{number}": target.write(f"d/{number}", source(), is_at_hand=True) for number in range(50)}
    synced: list[int] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(descriptor)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    assert target.make_durable("d", written) == {}
    assert len(synced) == 1


def test_another_file_stays(target: ContainedFolder) -> None:
    target.write("a", source())
    with pytest.raises(ObjectExists):
        target.write("a", source(b"other"))
    assert (target.root / "a").read_bytes() == CONTENT
    target.write("a", source(b"other"), overwrite=True)
    assert (target.root / "a").read_bytes() == b"other"


def test_a_link_is_replaced_itself(target: ContainedFolder) -> None:
    victim = outside_of(target) / "victim"
    victim.write_text("mine")
    target.root.mkdir()
    (target.root / "a").symlink_to(victim)
    with pytest.raises(ObjectExists):
        target.write("a", source())
    target.write("a", source(), overwrite=True)
    assert victim.read_text() == "mine"
    assert not (target.root / "a").is_symlink()


def test_a_folder_is_never_replaced(target: ContainedFolder) -> None:
    (target.root / "a").mkdir(parents=True)
    for overwrite in (False, True):
        with pytest.raises(ObjectExists):
            target.write("a", source(), overwrite=overwrite)
    assert (target.root / "a").is_dir()
    assert list((target.root / "a").iterdir()) == []


@pytest.mark.parametrize("path", ["link/x", "d/link/x", "d/link/deep/x"])
def test_no_link_on_the_way_is_followed(target: ContainedFolder, path: str) -> None:
    (target.root / "d").mkdir(parents=True)
    for place in ("link", "d/link"):
        (target.root / place).symlink_to(outside_of(target))
    for call in (lambda: target.write(path, source()), lambda: target.find_digest(path), lambda: target.open(path)):
        with pytest.raises(AccessDenied) as refused:
            call()
        assert refused.value.code == "symlink-in-path"
    assert list(outside_of(target).iterdir()) == []


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "", "a//b", "./a", "a\0b", ".archive-tui-x.part"])
def test_paths_that_are_none(target: ContainedFolder, path: str) -> None:
    for call in (lambda: target.write(path, source()), lambda: target.find_digest(path), lambda: target.open(path)):
        with pytest.raises(InvalidName):
            call()
    assert not target.root.exists()


def test_the_root_may_be_a_link(target: ContainedFolder) -> None:
    target.root.symlink_to(outside_of(target))
    target.write("a", source())
    assert (outside_of(target) / "a").read_bytes() == CONTENT


def test_a_wrong_content_leaves_nothing(target: ContainedFolder) -> None:
    wrong = CheckedSource([CONTENT], digest="0" * 64)
    with pytest.raises(HashError):
        target.write("new/folders/a", wrong)
    assert list(target.root.iterdir()) == []


def test_what_a_killed_run_has_left_is_removed(target: ContainedFolder) -> None:
    (target.root / "d").mkdir(parents=True)
    for folder in (target.root, target.root / "d"):
        (folder / new_temporary_name()).write_bytes(b"half")
    target.write("d/a", source())
    target.write("a", source())
    assert sorted(path.name for path in target.root.rglob("*")) == ["a", "a", "d"]


def test_what_is_there_is_hashed(target: ContainedFolder) -> None:
    assert target.find_digest("d/a") is None
    target.write("d/a", source())
    (target.root / "link").symlink_to("d/a")
    os.mkfifo(target.root / "pipe")
    assert target.find_digest("d/a") == hashlib.sha256(CONTENT).hexdigest()
    assert [target.find_digest(path) for path in ("d", "link", "pipe", "gone", "d/a/b")] == [
        NO_PLAIN_FILE, NO_PLAIN_FILE, NO_PLAIN_FILE, None, None,
    ]  # fmt: skip


def test_a_file_that_was_moved_away_is_told(target: ContainedFolder) -> None:
    written = {path: target.write(path, source()) for path in ("d/a", "d/b")}
    (target.root / "d" / "a").rename(target.root / "d" / "c")
    lost = target.make_durable("d", written)
    assert list(lost) == ["d/a"]
    (target.root / "d").rename(target.root / "e")
    (target.root / "d").symlink_to(outside_of(target))
    assert set(target.make_durable("d", written)) == {"d/a", "d/b"}


def test_a_link_that_comes_and_goes_helps_nobody(target: ContainedFolder) -> None:
    """A folder and a link to the outside change places all the time, while files are written below it."""
    folder, link = target.root / "d", target.root / "link"
    folder.mkdir(parents=True)
    link.symlink_to(outside_of(target))
    done = refused = number = 0
    with swapping(folder, link):
        # Who gets how much of the processor is not ours to say: on until both have happened.
        while number < 400 or (number < 50_000 and not (done and refused)):
            number += 1
            try:
                target.write(f"d/{number}", source(), is_at_hand=number % 2 == 0)
                done += 1
            except (AccessDenied, StorageError):
                refused += 1
    assert list(outside_of(target).iterdir()) == []
    assert done
    assert refused
    assert sum(path.read_bytes() == CONTENT for path in target.root.rglob("*") if path.is_file()) == done
