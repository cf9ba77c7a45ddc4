"""A datasafe in a folder: whatever lies there, whoever comes at once, wherever a process dies."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.dataset_record import RECORD_NAME
from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from archive_tui.archives.datasafe.safe import SafeState
from archive_tui.archives.datasafe.stored_safe import StoredSafe
from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ExistingFileError,
    LoiNotFoundError,
    NoFileError,
    StorageError,
    StorageFull,
)
from archive_tui.names.loi import read_number
from archive_tui.names.object_keys import TEMPORARY_PREFIX
from tests.archives.datasafe.shelf_suite import (
    PARENT,
    PLACE,
    Files,
    fill,
    make_files,
    record_of,
    replace,
    states,
    unpack,
)
from tests.objects.dying_child import every_death

# Python 3.12 warns about a fork beside threads, which servers of other tests may have; the child calls the system only.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

LOI = f"42.1001/ds/{PLACE}"
RESERVE = """
import sys
from pathlib import Path
from archive_tui.archives.datasafe.folder_shelf import FolderShelf
shelf = FolderShelf(Path(sys.argv[1]))
sys.stdin.readline()
print(*(shelf.reserve_next("exp/sa/42/cwepr") for _ in range(4)))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "safe"


@pytest.fixture
def shelf(root: Path) -> FolderShelf:
    return FolderShelf(root)


@pytest.fixture
def filled(shelf: FolderShelf) -> FolderShelf:
    shelf.reserve_next(PARENT)
    fill(shelf, PLACE, make_files("one"))
    return shelf


def unfinished(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob(f"{TEMPORARY_PREFIX}*"))


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


# ---- reservations


def test_64_processes_reserve_different_numbers(root: Path) -> None:
    command = [sys.executable, "-c", RESERVE, str(root)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(64)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    numbers = [int(number) for process in running for number in process.communicate()[0].split()]
    assert sorted(numbers) == list(range(1, 64 * 4 + 1))


STRANGE = ["007", "0", "１", "²", "-1", "+5", " 6", "1e3", "9" * 90, "12a", "raw", ".9", "42.2002", "\udcff", "a\nb"]


def test_whatever_lies_in_a_place_is_passed_over(root: Path, shelf: FolderShelf, tmp_path: Path) -> None:
    shelf.reserve_next(PARENT)
    outside = tmp_path / "outside"
    (outside / "77").mkdir(parents=True)
    for folder in (root, root / PARENT, root / "exp/sa/42"):
        for name in STRANGE:
            (folder / name).mkdir()
        (folder / "link").symlink_to(outside)
        (folder / "loop").symlink_to("loop")
        (folder / "notes.txt").write_text("mine")
        (folder / ".DS_Store").write_bytes(b"")
        os.mkfifo(folder / "pipe")
    assert shelf.reserve_next(PARENT) == 2
    (root / PARENT / "5").write_text("a file")
    (root / PARENT / "8").symlink_to(outside)
    assert shelf.reserve_next(PARENT) == 9
    fill(shelf, PLACE, make_files("one"))
    assert states(list(shelf.places())) == {PLACE: False, f"{PARENT}/2": True, f"{PARENT}/9": True}
    assert [shelf.find(f"{PARENT}/{name}") for name in ("5", "6", "5/1")] == [None, None, None]


def test_no_number_is_left(root: Path, shelf: FolderShelf) -> None:
    highest = max(("9" * length for length in range(1, 100)), key=lambda name: read_number(name) or 0)
    (root / PARENT / highest).mkdir(parents=True)
    with pytest.raises(StorageError) as raised:
        shelf.reserve_next(PARENT)
    assert raised.value.code == "no-number"
    assert raised.value.hint


@pytest.mark.parametrize("at", ["exp", "exp/sa", PARENT, PLACE])
def test_link_on_the_way_is_never_followed(root: Path, shelf: FolderShelf, tmp_path: Path, at: str) -> None:
    outside = tmp_path / "outside"
    rest = PLACE.removeprefix(at).strip("/")
    (outside / rest).mkdir(parents=True)
    (root / at).parent.mkdir(parents=True)
    (root / at).symlink_to(outside)
    before = tree(outside)
    acts: list[Callable[[], object]] = [
        lambda: shelf.find(PLACE),
        lambda: fill(shelf, PLACE, make_files("one")),
        lambda: replace(shelf, PLACE, make_files("one")),
        lambda: shelf.file_names(PLACE),
        lambda: shelf.archive(PLACE),
    ]
    if at != PLACE:
        acts += [lambda: shelf.reserve_next(PARENT), lambda: shelf.stage(PLACE).__enter__()]
    for act in acts:
        with pytest.raises(AccessDenied) as raised:
            act()
        assert raised.value.code == "symlink-in-path"
    assert list(shelf.places()) == []
    assert tree(outside) == before


def test_links_among_the_old_versions_are_never_followed(filled: FolderShelf, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "5").mkdir(parents=True)
    replace(filled, PLACE, make_files("two"))
    (root / ".old" / PLACE / "7").symlink_to(outside)
    (root / ".old" / PLACE / "8").write_text("a file")
    assert (filled.count_old(PLACE), [each.number for each in filled.old_versions(PLACE)]) == (1, [1])
    with pytest.raises(NoFileError):
        filled.archive(PLACE, old=8)
    with pytest.raises(AccessDenied):
        filled.archive(PLACE, old=7)
    assert replace(filled, PLACE, make_files("three")) == 9
    assert [each.number for each in filled.old_versions(PLACE)] == [1, 9]


@pytest.mark.parametrize("place", ["../x/1", "exp/../../x/1", "..", "", "exp//1", "x/1", "exp/\0/1"])
def test_nothing_outside_of_the_root_is_touched(root: Path, shelf: FolderShelf, tmp_path: Path, place: str) -> None:
    root.mkdir()
    (tmp_path / "x").mkdir()
    for act in (lambda: fill(shelf, place, make_files("one")), lambda: replace(shelf, place, make_files("one"))):
        with pytest.raises(LoiNotFoundError):
            act()
    if place != "x/1":
        with pytest.raises(LoiNotFoundError):
            shelf.reserve_next(place)
    assert tree(tmp_path) == ["safe", "x"]


def test_deep_folders_end_nowhere(root: Path, shelf: FolderShelf) -> None:
    shelf.reserve_next(PARENT)
    fill(shelf, PLACE, make_files("one"))
    deep = root / "exp/sa/42" / "/".join("d" * 1500)
    descriptor = os.open(root / "exp/sa/42", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    assert deep.is_dir()
    assert states(list(shelf.places())) == {PLACE: False}
    subprocess.run(["rm", "-rf", str(root / "exp/sa/42/d")], check=True)


# ---- what lies at a place


def test_published_files_are_read_only_and_folders_are_not(filled: FolderShelf, root: Path) -> None:
    replace(filled, PLACE, make_files("two"))
    for dataset in (root / PLACE, root / ".old" / PLACE / "1"):
        for path in dataset.rglob("*"):
            assert bool(path.stat().st_mode & 0o222) == path.is_dir(), path


def change_size(folder: Path) -> None:
    (folder / "a.info").chmod(0o644)
    (folder / "a.info").write_text("something else")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (change_size, "a file has 14 bytes instead of 3: a.info"),
        (lambda folder: (folder / "raw/text").unlink(), "a file is missing: raw/text"),
        (lambda folder: (folder / "raw/more").write_text("x"), "a file was added: raw/more"),
        (lambda folder: (folder / RECORD_NAME).unlink(), ""),
        (lambda folder: (folder / "MANIFEST.yaml").unlink(), "a file is missing: MANIFEST.yaml"),
    ],
)
def test_record_that_does_not_fit_is_told(
    filled: FolderShelf, root: Path, change: Callable[[Path], object], detail: str
) -> None:
    change(root / PLACE)
    found = filled.find(PLACE)
    assert found is not None
    assert (found.is_empty, found.record, found.detail) == (False, None, detail)
    assert [each.detail for each in filled.places()] == [detail]
    assert unpack(filled.archive(PLACE)).keys() == dict(filled.file_names(PLACE)).keys()


@pytest.mark.parametrize("content", [b"", b"no record", b"\xff" * 100])
def test_record_that_is_none(filled: FolderShelf, root: Path, content: bytes) -> None:
    (root / PLACE / RECORD_NAME).chmod(0o644)
    (root / PLACE / RECORD_NAME).write_bytes(content)
    found = filled.find(PLACE)
    assert found is not None
    assert (found.record, found.detail) == (None, "its record cannot be read")
    assert filled.record(PLACE) is None


@pytest.mark.parametrize("files", [{"data.dat": b"x"}, {".hidden": b""}, {"raw/data.dat": b"x"}])
def test_files_without_a_manifest_are_reported_as_they_are(root: Path, shelf: FolderShelf, files: Files) -> None:
    shelf.reserve_next(PARENT)
    for path, content in files.items():
        (root / PLACE / path).parent.mkdir(exist_ok=True)
        (root / PLACE / path).write_bytes(content)
    found = shelf.find(PLACE)
    assert found is not None
    assert (found.is_empty, found.record) == (False, None)
    assert states(list(shelf.places())) == {PLACE: False}
    with pytest.raises(ExistingFileError):
        fill(shelf, PLACE, make_files("one"))
    assert shelf.file_names(PLACE) == [(path, len(content)) for path, content in files.items()]
    safe = StoredSafe(shelf, issuer="1001")
    assert [(each.loi, each.state) for each in safe.entries()] == [(LOI, SafeState.DAMAGED)]


# ---- many at once


def test_readers_see_the_old_or_the_new_during_updates(filled: FolderShelf, root: Path) -> None:
    done = threading.Event()
    problems: list[object] = []

    def look() -> None:
        mine = FolderShelf(root)
        while not done.is_set():
            try:
                found = mine.find(PLACE)
                listed = list(mine.places())
                names = len(mine.file_names(PLACE))
            except (ArchiveError, OSError) as error:
                problems.append(error)
                return
            if (
                found is None
                or found.record is None
                or names != 4
                or [each.record is None for each in listed] != [False]
            ):
                problems.append((found, listed, names))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(25):
            replace(filled, PLACE, make_files(f"text {number}"), keeps_old=number % 10 == 0)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []


# ---- killed


def test_fill_killed_at_every_step(root: Path, shelf: FolderShelf) -> None:
    def prepare() -> None:
        shutil.rmtree(root, ignore_errors=True)
        shelf.reserve_next(PARENT)

    died_before = died_after = 0
    for number in every_death(lambda: fill(FolderShelf(root), PLACE, make_files("new")), prepare):
        found = shelf.find(PLACE)
        assert found is not None, number
        assert states(list(shelf.places())) == {PLACE: found.is_empty}, number
        if found.is_empty:
            died_before += 1
            fill(shelf, PLACE, make_files("newer"))
        else:
            died_after += 1
            assert found.record == record_of(make_files("new")), number
            with pytest.raises(ExistingFileError):
                fill(shelf, PLACE, make_files("newer"))
        assert unpack(shelf.archive(PLACE)) == make_files("newer" if found.is_empty else "new"), number
        assert unfinished(root) == [], number
    assert died_before > 10
    assert died_after > 0


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("keeps_old", [True, False])
def test_replace_killed_at_every_step(root: Path, shelf: FolderShelf, keeps_old: bool, stride: int) -> None:
    def prepare() -> None:
        shutil.rmtree(root, ignore_errors=True)
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("old"))

    def update(text: str) -> None:
        replace(FolderShelf(root), PLACE, make_files(text), keeps_old=keeps_old)

    seen = set()
    for number in every_death(lambda: update("new"), prepare, stride=stride):
        assert states(list(FolderShelf(root).places())) == {PLACE: False}, number
        now = unpack(shelf.archive(PLACE))
        assert now in (make_files("old"), make_files("new")), number
        seen.add(now["a.info"])
        update("newer")
        assert unpack(shelf.archive(PLACE)) == make_files("newer"), number
        kept = [unpack(shelf.archive(PLACE, old=each.number)) for each in shelf.old_versions(PLACE)]
        expected = [make_files("old"), make_files("new")] if now == make_files("new") else [make_files("old")]
        assert kept == (expected if keeps_old else []), number
        assert unfinished(root) == [], number
    assert seen == {b"old", b"new"}


def test_reservation_killed_at_every_step(root: Path, shelf: FolderShelf) -> None:
    def prepare() -> None:
        shutil.rmtree(root, ignore_errors=True)

    for number in every_death(lambda: FolderShelf(root).reserve_next(PARENT), prepare, least=10):
        reserved = states(list(shelf.places(PARENT)))
        assert reserved in ({}, {PLACE: True}), number
        assert shelf.reserve_next(PARENT) == len(reserved) + 1, number


# ---- no room, no permission, no links


@pytest.mark.parametrize("call", ["fsync", "rename", "mkdir", "link", "chmod"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_update_that_fails_leaves_the_old_one(
    filled: FolderShelf, root: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    replace(filled, PLACE, make_files("two"))
    before = tree(root)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    with filled.stage(PLACE) as staged:
        (staged / "MANIFEST.yaml").write_text("new")
        monkeypatch.setattr(os, call, fail)
        with pytest.raises(StorageFull if code == errno.ENOSPC else AccessDenied) as raised:
            filled.replace(PLACE, staged, record_of({"MANIFEST.yaml": b"new"}), keeps_old=True)
        monkeypatch.undo()
    assert raised.value.hint
    assert tree(root) == before
    assert unpack(filled.archive(PLACE)) == make_files("two")
    assert replace(filled, PLACE, make_files("three")) == 2


@pytest.mark.parametrize("call", ["fsync", "rename", "chmod"])
def test_fill_that_fails_leaves_the_place_empty(
    shelf: FolderShelf, root: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    shelf.reserve_next(PARENT)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with shelf.stage(PLACE) as staged:
        (staged / "MANIFEST.yaml").write_text("new")
        monkeypatch.setattr(os, call, fail)
        with pytest.raises(StorageFull):
            shelf.fill(PLACE, staged, record_of({"MANIFEST.yaml": b"new"}))
        monkeypatch.undo()
    assert states(list(shelf.places())) == {PLACE: True}
    assert unfinished(root) == []
    fill(shelf, PLACE, make_files("one"))


def test_root_that_cannot_be_written_is_read(filled: FolderShelf, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.claim_issuer("1001")
    true_open = os.open

    def open_to_read(path: object, flags: int, *args: object, **kwargs: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return true_open(path, flags, *args, **kwargs)  # type: ignore[arg-type]

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", open_to_read)
    for call in ("mkdir", "rename", "unlink", "rmdir", "link", "chmod"):
        monkeypatch.setattr(os, call, refuse)
    mine = FolderShelf(root)
    assert mine.issuer() == "1001"
    assert states(list(mine.places())) == {PLACE: False}
    assert unpack(mine.archive(PLACE)) == make_files("one")
    for act in (lambda: mine.reserve_next(PARENT), lambda: mine.stage(PLACE).__enter__()):
        with pytest.raises(AccessDenied, match="Read-only file system"):
            act()


def test_old_version_is_copied_where_there_are_no_hard_links(
    filled: FolderShelf, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    assert replace(filled, PLACE, make_files("two")) == 1
    assert replace(filled, PLACE, make_files("three")) == 2
    assert unpack(filled.archive(PLACE, old=1)) == make_files("one")
    assert all((root / ".old" / PLACE / "1" / name).stat().st_nlink == 1 for name in make_files("one"))


def test_dataset_of_the_original_is_kept_by_an_update(root: Path, shelf: FolderShelf) -> None:
    (root / PLACE).mkdir(parents=True)
    for name in ("MANIFEST.yaml", "data.dat"):
        (root / PLACE / name).write_text(name)
    assert replace(shelf, PLACE, make_files("one")) == 1
    assert unpack(shelf.archive(PLACE, old=1)) == {name: name.encode() for name in ("MANIFEST.yaml", "data.dat")}


@pytest.mark.slow
def test_hundred_thousand_reserved_numbers(root: Path, shelf: FolderShelf) -> None:
    folder = root / PARENT
    folder.mkdir(parents=True)
    for number in range(1, 100_001):
        (folder / str(number)).mkdir()
    assert sum(each.is_empty for each in shelf.places()) == 100_000
    assert shelf.reserve_next(PARENT) == 100_001
