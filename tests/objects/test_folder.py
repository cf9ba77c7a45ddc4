from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from archive_tui.errors import (
    AccessDenied,
    InvalidName,
    ObjectExists,
    ObjectNotFound,
    SourceChanged,
    StorageError,
    StorageUnavailable,
)
from archive_tui.names.object_keys import TEMPORARY_PREFIX
from archive_tui.objects.folder import NO_HARD_LINKS, FolderStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from tests.conformance.object_store_suite import ObjectStoreSuite, listed_keys, put_bytes, read_all


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


def shown(store: FolderStore, prefix: str = "", *, recursive: bool = False) -> dict[str, int | None]:
    """Sizes by key; None for a prefix."""
    entries = store.list(prefix, recursive=recursive)
    return {entry.key: entry.size if isinstance(entry, ObjectInfo) else None for entry in entries}


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


# ---- links and odd entries


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


def test_listing_streams_and_stats_each_file_once(archive: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.root.mkdir()
    for number in range(500):
        (archive.root / f"{number}").write_bytes(b"")
    calls: list[object] = []
    true_stat = os.stat
    monkeypatch.setattr(os, "stat", lambda *args, **kwargs: calls.append(args) or true_stat(*args, **kwargs))
    listing = archive.list()
    next(listing)
    assert sum(1 for _ in listing) == 499
    assert calls == []


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


# ---- several writers


def test_folder_without_hard_links_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    probed, written = FolderStore(tmp_path), FolderStore(tmp_path)
    assert probed.probe().remarks == ()
    monkeypatch.setattr(os, "link", refuse)
    probed = FolderStore(tmp_path)
    assert probed.probe().remarks == (NO_HARD_LINKS,)
    put_bytes(written, "key")
    assert written.traits.remarks == (NO_HARD_LINKS,)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_writer_that_fails_takes_its_folders_back_and_disturbs_nobody(archive: FolderStore) -> None:
    """Writers that fail remove the folders they made, in the same moment in which others make and use them."""

    def write(number: int) -> None:
        for attempt in range(30):
            if number % 2:
                with pytest.raises(SourceChanged):
                    archive.put(f"deep/er/bad-{number}-{attempt}", [b"x"], 2)
            else:
                put_bytes(archive, f"deep/er/good-{number}-{attempt}")
                archive.delete(f"deep/er/good-{number}-{attempt}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert listed_keys(archive) == []


_RACER = """
import sys
from pathlib import Path
from archive_tui.errors import ObjectExists
from archive_tui.objects.folder import FolderStore
store, me, rounds = FolderStore(Path(sys.argv[1])), sys.argv[2].encode(), int(sys.argv[3])
if sys.argv[4] == "no-links":
    import os
    def refuse(*args, **kwargs):
        raise OSError(1, "Operation not permitted")
    os.link = refuse
print("ready", flush=True)
for number in range(rounds):
    sys.stdin.readline()
    try:
        store.put(f"round/{number}", [me] * 50, len(me) * 50)
        print("won", flush=True)
    except ObjectExists:
        print("lost", flush=True)
"""


def race(root: Path, processes: int, rounds: int, links: str) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, str(root), f"{number:03d}", str(rounds), links],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    with ExitStack() as stack:
        for racer in racers:
            stack.enter_context(racer)
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for round_number in range(rounds):
            for racer in racers:
                assert racer.stdin is not None
                racer.stdin.write("go\n")
                racer.stdin.flush()
            outcomes = [racer.stdout.readline().strip() for racer in racers if racer.stdout is not None]
            assert sorted(outcomes) == ["lost"] * (processes - 1) + ["won"]
            winner = f"{outcomes.index('won'):03d}".encode()
            assert read_all(FolderStore(root), f"round/{round_number}") == winner * 50
    assert list(root.rglob(f"{TEMPORARY_PREFIX}*")) == []


@pytest.mark.parametrize("links", ["links", "no-links"])
def test_one_of_racing_processes_wins_each_round(tmp_path: Path, links: str) -> None:
    race(tmp_path / "root", processes=8, rounds=20, links=links)


@pytest.mark.slow
@pytest.mark.parametrize("links", ["links", "no-links"])
def test_one_of_64_racing_processes_wins_each_round(tmp_path: Path, links: str) -> None:
    race(tmp_path / "root", processes=64, rounds=50, links=links)
