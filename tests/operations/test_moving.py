"""Moving: nothing is deleted that is not proven elsewhere, nothing replaced unasked, and it goes on where it ended."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive_tui.conflicts import ConflictRule
from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    OperationStopped,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.names.content_address import content_key
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.copying import plan_copy
from archive_tui.operations.moving import MoveReceipt, move_objects
from archive_tui.operations.moving.removal import MOST_DENIALS
from archive_tui.progress import Event, Planned
from tests.conformance.store_samples import listed_keys, put_bytes, read_all
from tests.jobs.kinds.job_work import MemoryJournal

FILES = {"a.txt": b"alpha", "dir/b.bin": b"\0" * 1000, "dir/deep/c.csv": b"1,2\n", "empty": b""}


def own_folder(path: Path) -> FolderStore:
    return FolderStore(path, read_only_objects=False, enters_symlinks=False)


def fill(store: ObjectStore, contents: dict[str, bytes], prefix: str = "") -> None:
    for name, content in contents.items():
        put_bytes(store, prefix + name, content)


def contents_of(store: ObjectStore, prefix: str = "") -> dict[str, bytes]:
    return {listed.key[len(prefix) :]: read_all(store, listed.key) for listed in store.list(prefix)}


def move_all(source: ObjectStore, target: ObjectStore, into: str = "", **options: Any) -> MoveReceipt:
    return move_objects(plan_copy(source, [""], target, into), **options)


MakeStore = Callable[[str], ObjectStore]


@pytest.fixture(params=["memory", "folder", "archive"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Makes stores of one kind; two folders of a kind lie in one file system."""

    def make_store(name: str) -> ObjectStore:
        if request.param == "memory":
            return MemoryStore(name)
        return own_folder(tmp_path / name) if request.param == "folder" else FolderStore(tmp_path / name)

    return make_store


@pytest.fixture
def source(make: MakeStore) -> ObjectStore:
    store = make("source")
    fill(store, FILES)
    return store


# ---- what arrives, and what is gone


@pytest.mark.parametrize("is_remote", [False, True])
def test_everything_lies_at_the_target_and_nowhere_else(is_remote: bool, source: ObjectStore, make: MakeStore) -> None:
    target = MemoryStore("elsewhere") if is_remote else make("target")
    receipt = move_all(source, target, "in/")
    assert contents_of(target, "in/") == FILES
    assert listed_keys(source) == []
    assert (receipt.moved, receipt.bytes, receipt.finding_count) == (4, 1009, 0)
    assert receipt.sentence == "Moved: 4 objects, 1.0 KB"
    assert (receipt.weakest == "read") is (receipt.in_place == 0)


def test_from_a_store_into_a_folder_and_back(tmp_path: Path) -> None:
    first, second = MemoryStore("first"), MemoryStore("second")
    fill(first, FILES)
    move_all(first, own_folder(tmp_path / "f"))
    move_all(own_folder(tmp_path / "f"), second, "x/")
    assert contents_of(second, "x/") == FILES
    assert (listed_keys(first), list((tmp_path / "f").iterdir())) == ([], [])


def test_only_what_is_named(source: ObjectStore, make: MakeStore) -> None:
    target = make("target")
    receipt = move_objects(plan_copy(source, ["dir/", "a.txt"], target, "in/"))
    assert set(contents_of(target)) == {"in/dir/b.bin", "in/dir/deep/c.csv", "in/a.txt"}
    assert listed_keys(source) == ["empty"]
    assert receipt.moved == 3


def test_within_one_store(source: ObjectStore) -> None:
    receipt = move_objects(plan_copy(source, ["dir/"], source, "other/"))
    assert set(listed_keys(source)) == {"a.txt", "empty", "other/dir/b.bin", "other/dir/deep/c.csv"}
    assert (receipt.moved, receipt.finding_count) == (2, 0)


@pytest.mark.parametrize(("names", "into"), [([""], ""), (["dir/"], "dir/"), (["dir/"], "dir/deep/")])
def test_nothing_is_moved_into_itself(names: list[str], into: str, source: ObjectStore) -> None:
    with pytest.raises(ConfigurationError) as caught:
        move_objects(plan_copy(source, names, source, into))
    assert caught.value.code == "copy-into-itself"


def test_a_server_copies_by_itself(make: MakeStore) -> None:
    store = MemoryStore()
    fill(store, FILES)
    recorded = RecordingStore(store)
    receipt = move_objects(plan_copy(recorded, ["dir/"], recorded, "new/"))
    assert (recorded.count("copy"), recorded.count("put"), recorded.count("open")) == (2, 0, 0)
    assert set(listed_keys(store)) == {"a.txt", "empty", "new/dir/b.bin", "new/dir/deep/c.csv"}
    assert receipt.finding_count == 0


def test_totals_are_told(source: ObjectStore, make: MakeStore) -> None:
    events: list[Event] = []
    move_all(source, make("target"), report=events.append)
    assert Planned("move", 4, 1009) in events


# ---- conflicts


def test_another_content_is_kept_on_both_sides(source: ObjectStore, make: MakeStore) -> None:
    target = make("target")
    put_bytes(target, "a.txt", b"another one")
    receipt = move_all(source, target)
    assert (receipt.kept, receipt.moved, receipt.finding_count) == (1, 3, 1)
    assert read_all(target, "a.txt") == b"another one"
    assert contents_of(source) == {"a.txt": b"alpha"}
    assert receipt.sentence.startswith("Not everything was moved: moved 3 objects")


@pytest.mark.parametrize("rule", [ConflictRule.KEEP_BOTH, ConflictRule.REPLACE])
def test_what_somebody_chose_is_done(rule: ConflictRule, source: ObjectStore, make: MakeStore) -> None:
    target = make("target")
    put_bytes(target, "a.txt", b"another one")
    receipt = move_all(source, target, resolve=lambda conflict: rule)
    assert (receipt.moved, receipt.finding_count, listed_keys(source)) == (4, 0, [])
    is_replaced = rule is ConflictRule.REPLACE
    assert (receipt.replaced, receipt.renamed) == ((1, 0) if is_replaced else (0, 1))
    assert read_all(target, "a.txt" if is_replaced else "a (2).txt") == b"alpha"
    assert read_all(target, "a.txt") == (b"alpha" if is_replaced else b"another one")


def test_what_is_asked_about_stays_until_it_is_answered(source: ObjectStore, make: MakeStore) -> None:
    target, journal = make("target"), MemoryJournal()
    put_bytes(target, "a.txt", b"another one")
    receipt = move_all(source, target, journal=journal, resolve=lambda conflict: ConflictRule.ASK)
    assert (receipt.undecided, receipt.moved, receipt.finding_count) == (1, 3, 0)
    receipt = move_all(source, target, journal=journal, resolve=lambda conflict: ConflictRule.REPLACE)
    assert (receipt.replaced, receipt.moved, receipt.moved_before) == (1, 1, 3)
    assert (contents_of(target), listed_keys(source)) == (FILES, [])


def test_the_same_content_that_lies_there_is_not_written_again(source: ObjectStore, make: MakeStore) -> None:
    target = make("target")
    fill(target, FILES)
    receipt = move_all(source, target)
    assert (receipt.moved, receipt.same, receipt.finding_count) == (4, 4, 0)
    assert (contents_of(target), listed_keys(source)) == (FILES, [])


# ---- one object by two ways: the move that would lose everything


class _OtherAddress(WrappedStore):
    """The same bucket behind another name."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.identity = "s3://the-same-by-another-name"


def test_one_bucket_behind_two_addresses_loses_nothing() -> None:
    store = MemoryStore()
    fill(store, FILES)
    receipt = move_all(store, _OtherAddress(store))
    assert contents_of(store) == FILES
    assert (receipt.moved, receipt.left) == (0, 4)
    assert "one and the same object" in receipt.findings[0].detail


def test_when_it_cannot_be_told_everything_stays() -> None:
    store = MemoryStore()
    fill(store, FILES)
    refusing = FaultyStore(store, Fault("put", call=0, error=AccessDenied("read only")))
    receipt = move_all(store, _OtherAddress(refusing))
    assert contents_of(store) == FILES
    assert (receipt.moved, receipt.left) == (0, 4)


def test_a_folder_that_a_link_leads_to_is_known(tmp_path: Path) -> None:
    fill(own_folder(tmp_path / "real"), FILES)
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(ConfigurationError):
        move_all(own_folder(tmp_path / "real"), own_folder(tmp_path / "link"))
    assert contents_of(own_folder(tmp_path / "real")) == FILES


def test_hard_links_are_two_names_of_which_one_may_go(tmp_path: Path) -> None:
    source, target = own_folder(tmp_path / "s"), own_folder(tmp_path / "t")
    fill(source, {"x": b"content"})
    (tmp_path / "t").mkdir()
    os.link(tmp_path / "s" / "x", tmp_path / "t" / "x")
    receipt = move_objects(plan_copy(source, ["x"], target))
    assert (receipt.moved, receipt.finding_count) == (1, 0)
    assert contents_of(target) == {"x": b"content"}
    assert not (tmp_path / "s" / "x").exists()


# ---- what is protected


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("d/winds.1.0.0.zip", "a published version"),
        ("winds.1.0.0.manifest.json", "the manifest of a published version"),
        (content_key(sha256_of_bytes(b"content")), "a content of a vault"),
        ("safe/.datasafe.json", "the mark of a datasafe"),
        ("results/.manifest/manifest.yaml", "the mark of a results store"),
    ],
)
def test_what_is_protected_keeps_everything(key: str, what: str, source: ObjectStore, make: MakeStore) -> None:
    put_bytes(source, key, b"content")
    before = contents_of(source)
    with pytest.raises(StorageError, match=f"{what} is never moved this way") as caught:
        move_all(source, make("target"))
    assert caught.value.code == "delete-protected"
    assert contents_of(source) == before


@pytest.mark.parametrize("mark", [".datasafe.json", ".manifest/manifest.yaml"])
def test_what_lies_below_a_mark_is_protected(mark: str, source: ObjectStore, make: MakeStore) -> None:
    put_bytes(source, f"kept/{mark}", b"{}")
    put_bytes(source, "kept/1/data.dat", b"measured")
    for plan in (
        plan_copy(source, ["1/"], make("target"), base="kept/"),
        plan_copy(source, [""], make("target"), base="kept/1/"),
        plan_copy(source, ["data.dat"], make("target"), base="kept/1/"),
    ):
        with pytest.raises(StorageError, match="keeps is never moved this way"):
            move_objects(plan)
    assert read_all(source, "kept/1/data.dat") == b"measured"


def test_a_version_that_is_published_meanwhile_stays() -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    fill(source, {"d/x": b"x"})

    class PublishesMeanwhile(WrappedStore):
        lists = 0

        def list(self, prefix: str = "", *, recursive: bool = True) -> Any:
            self.lists += 1
            if self.lists > 1:
                put_bytes_once(self.inner, "d/winds.1.0.0.zip")
            return self.inner.list(prefix, recursive=recursive)

    receipt = move_all(PublishesMeanwhile(source), target)
    assert listed_keys(source) == ["d/winds.1.0.0.zip"]
    assert (listed_keys(target), receipt.finding_count) == (["d/x"], 1)


def put_bytes_once(store: ObjectStore, key: str) -> None:
    if key not in listed_keys(store):
        put_bytes(store, key, b"published")


# ---- the source changes, the proof is missing


class _ChangesAfterRead(WrappedStore):
    """Somebody writes a new content as soon as the old one was read."""

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Any:
        reader = super().open(key, offset, length)
        self.inner.put(key, [b"new content"], overwrite=True)
        return reader


def test_what_changes_at_the_source_is_kept_there() -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    fill(source, {"x": b"old content"})
    receipt = move_all(_ChangesAfterRead(source), target)
    assert read_all(source, "x") == b"new content"
    assert (receipt.moved, receipt.left) == (0, 1)
    assert "has changed at the source" in receipt.findings[0].detail


class _TakesAway(WrappedStore):
    """Somebody deletes or changes at the target what has just come there."""

    def __init__(self, inner: ObjectStore, *, replaces: bool) -> None:
        super().__init__(inner)
        self._replaces = replaces

    def put(self, key: str, chunks: Any, size: int | None = None, **options: Any) -> Any:
        put = super().put(key, chunks, size, **options)
        self.inner.delete(key)
        if self._replaces:
            put_bytes(self.inner, key, b"another")
        return put


@pytest.mark.parametrize("replaces", [False, True])
def test_what_is_taken_away_from_the_target_stays_at_the_source(replaces: bool) -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    fill(source, FILES)
    receipt = move_all(source, _TakesAway(target, replaces=replaces))
    assert contents_of(source) == FILES
    assert (receipt.moved, receipt.left) == (0, 4)
    assert "taken away" in receipt.findings[0].detail


def test_moves_against_each_other_lose_nothing(tmp_path: Path) -> None:
    one, other = own_folder(tmp_path / "one"), FolderStore(tmp_path / "other")  # of two kinds, so that all is copied
    whole = {str(number): b"%d" % number for number in range(30)}
    fill(one, whole)
    ways = [(one, other), (other, one)]
    threads = [threading.Thread(target=lambda way=way: [move_all(*way) for _ in range(3)]) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents_of(one) | contents_of(other) == whole


class _NoVersions(WrappedStore):
    def info(self, key: str) -> ObjectInfo:
        told = super().info(key)
        return ObjectInfo(told.key, told.size)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Any:
        return (ObjectInfo(each.key, each.size) for each in super().list(prefix, recursive=recursive))  # type: ignore[union-attr]


def test_a_source_without_versions_is_read_once_more() -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    fill(source, FILES)
    recorded = RecordingStore(source)
    assert move_all(_NoVersions(recorded), target).moved == 4
    assert recorded.count("open") == 8
    assert (contents_of(target), listed_keys(source)) == (FILES, [])


class _Unproven(WrappedStore):
    """Takes bytes, proves nothing, and spoils what it holds."""

    def __init__(self, inner: ObjectStore, *, spoils: bool) -> None:
        super().__init__(inner)
        self._spoils = spoils

    def put(self, key: str, chunks: Any, size: int | None = None, **options: Any) -> Any:
        from dataclasses import replace

        from archive_tui.integrity.evidence import EvidenceLevel

        put = self.inner.put(key, chunks, size, **options)
        if self._spoils:
            self.inner.put(key, [b"spoilt"], overwrite=True)
        return replace(put, evidence=replace(put.evidence, level=EvidenceLevel.COPIED))


def test_a_content_without_a_digest_is_read_twice(tmp_path: Path) -> None:
    source, target = own_folder(tmp_path), MemoryStore("target")
    fill(source, FILES)
    recorded = RecordingStore(source)
    assert move_all(recorded, target).moved == 4
    assert recorded.count("open") == 8
    fill(source, {"x": b"content"})
    receipt = move_all(FaultyStore(source, Fault("open", FaultKind.FLIPPED)), target, "again/")
    assert (receipt.moved, receipt.left, read_all(source, "x")) == (0, 1, b"content")
    assert "was read once more" in receipt.findings[0].detail
    assert list(target.list("again/")) == []


@pytest.mark.parametrize("spoils", [False, True])
def test_what_the_put_did_not_prove_is_read_back(spoils: bool) -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    fill(source, FILES)
    receipt = move_all(source, _Unproven(target, spoils=spoils))
    assert (receipt.moved, receipt.left) == ((0, 4) if spoils else (4, 0))
    assert (contents_of(source) == FILES) is spoils


def test_a_source_that_cannot_be_deleted_from_is_told_soon() -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    fill(source, {str(number): b"%d" % number for number in range(MOST_DENIALS + 30)})
    denying = FaultyStore(source, Fault("delete", call=0, error=AccessDenied("no")))
    with pytest.raises(AccessDenied):
        move_all(denying, target, threads=1)
    few = MemoryStore("few")
    fill(few, FILES)
    receipt = move_all(FaultyStore(few, Fault("delete", call=2, error=AccessDenied("retention"))), target)
    assert (receipt.moved, receipt.left) == (3, 1)
    assert "could not be deleted at the source: retention" in receipt.findings[0].detail


# ---- stops, faults, and going on


def test_a_stop_is_obeyed_and_the_rest_is_done_later(source: ObjectStore) -> None:
    target, stop, journal = MemoryStore("target"), threading.Event(), MemoryJournal()

    class StopsAtOnce(WrappedStore):
        def delete(self, key: str) -> None:
            super().delete(key)
            stop.set()

    with pytest.raises(OperationStopped):
        move_all(StopsAtOnce(source), target, stop=stop, threads=1, journal=journal)
    assert contents_of(source) | contents_of(target) == FILES
    assert len(listed_keys(source)) == 3
    receipt = move_all(source, target, journal=journal)
    assert (receipt.moved, receipt.moved_before, receipt.finding_count) == (3, 1, 0)
    assert (contents_of(target), listed_keys(source)) == (FILES, [])


def test_a_target_that_fills_up_loses_nothing(source: ObjectStore) -> None:
    target, journal = MemoryStore("target"), MemoryJournal()
    with pytest.raises(StorageFull):
        move_all(
            source, FaultyStore(target, Fault("put", call=3, error=StorageFull("full"))), threads=1, journal=journal
        )
    assert len(listed_keys(target)) == 2
    assert contents_of(source) | contents_of(target) == FILES
    assert not set(listed_keys(source)) & set(listed_keys(target))
    assert move_all(source, target, journal=journal).finding_count == 0
    assert (contents_of(target), listed_keys(source)) == (FILES, [])


def test_names_that_an_earlier_run_has_moved_are_no_finding(source: ObjectStore, make: MakeStore) -> None:
    target, journal = make("target"), MemoryJournal()
    for _ in range(2):
        receipt = move_objects(plan_copy(source, ["dir/", "a.txt"], target), journal=journal)
        assert receipt.finding_count == 0
    assert (receipt.moved, receipt.moved_before) == (0, 3)
    fresh = move_objects(plan_copy(source, ["dir/", "a.txt"], target))
    assert fresh.finding_count == 2


KINDS = tuple(FaultKind)
SPOILING = (FaultKind.TRUNCATED, FaultKind.FLIPPED)
AT_SOURCE = ("open", "info", "list", "delete")
AT_TARGET = ("put", "info", "list", "open")


def move_through(
    source: ObjectStore, target: ObjectStore, faults: list[Fault], others: list[Fault], **more: Any
) -> int:
    """One run with faults at both sides; returns how many have happened."""
    sides = FaultyStore(source, *faults), FaultyStore(target, *others)
    try:
        move_all(*sides, "in/", **more)
    except ArchiveError as error:
        assert isinstance(error, StorageUnavailable), error
    return sum(len(side.happened) for side in sides)


def assert_nothing_is_lost(source: ObjectStore, target: ObjectStore, whole: dict[str, bytes]) -> None:
    there, here = contents_of(target, "in/"), contents_of(source)
    assert here | there == whole
    assert there.items() <= whole.items()
    assert here.items() <= whole.items()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_folder", [False, True])
def test_faults_in_every_call_lose_nothing(is_folder: bool, kind: FaultKind, tmp_path: Path) -> None:
    whole = {f"d{number % 3}/{number}": b"content %d" % number for number in range(9)}
    happened = 0
    cases = [(AT_SOURCE, True), (AT_TARGET, False)]
    for number, (operation, at_source, call) in enumerate(
        (operation, at_source, call)
        for operations, at_source in cases
        for operation in operations
        for call in (1, 2, 5)
    ):
        source: ObjectStore = own_folder(tmp_path / str(number)) if is_folder else MemoryStore("source")
        target, journal = MemoryStore("target"), MemoryJournal()
        fill(source, whole)
        put_bytes(target, "in/d0/0", b"content 0")  # so that something lies there, and is compared
        fault = [Fault(operation, kind, call=call, position=3)]
        for _ in range(2):
            faults, others = (fault, []) if at_source else ([], fault)
            happened += move_through(source, target, faults, others, journal=journal, threads=2)
            assert_nothing_is_lost(source, target, whole)
        receipt = move_all(source, target, "in/", journal=journal)
        assert (receipt.finding_count, listed_keys(source)) == (0, [])
        assert contents_of(target, "in/") == whole
    assert happened >= 12


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_objects_with_faults_in_every_call(count: int) -> None:
    whole = {f"d{number % 40}/{number}": b"content %d" % number for number in range(count)}
    source, target, journal, chance = MemoryStore("source"), MemoryStore("target"), MemoryJournal(), random.Random(6)
    fill(source, whole)
    runs = happened = 0
    while listed_keys(source):
        runs += 1
        faults, others = (
            [
                Fault(operation, chance.choice(SPOILING), call=call, position=3)
                for operation in spoilt
                for call in (3, 9)
            ]
            + [Fault(operation, kind, call=chance.randint(1, 60), position=3) for operation in broken]
            for spoilt, broken, kind in (
                ("open", AT_SOURCE, chance.choice(KINDS[:3])),
                ("put", AT_TARGET, chance.choice(KINDS[:3])),
            )
        )
        happened += move_through(source, target, faults, others, journal=journal, threads=8)
        if runs % (count // 100) == 0:
            assert_nothing_is_lost(source, target, whole)
        assert runs < count
    assert contents_of(target, "in/") == whole
    assert (runs >= count // 100, happened >= runs) == (True, True)


# ---- folders of this machine


def test_folders_of_one_file_system_are_renamed_with_all_they_hold(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "d" / "empty").mkdir(parents=True)
    (source / "d" / "x").write_text("x")
    (source / "d" / "link").symlink_to("x")
    os.mkfifo(source / "d" / "pipe")
    inode = (source / "d" / "x").stat().st_ino
    receipt = move_objects(plan_copy(own_folder(source), ["d/"], own_folder(tmp_path / "target")))
    assert (receipt.moved, receipt.in_place, receipt.finding_count) == (2, 2, 0)  # a link counts, as it does to delete
    there = tmp_path / "target" / "d"
    assert {path.name for path in there.iterdir()} == {"empty", "x", "link", "pipe"}
    assert (there / "x").stat().st_ino == inode
    assert list(source.iterdir()) == []


def test_a_folder_that_is_there_is_filled_up_and_nothing_in_it_replaced(tmp_path: Path) -> None:
    source, target = own_folder(tmp_path / "source"), own_folder(tmp_path / "target")
    fill(source, {"d/x": b"mine", "d/y": b"new", "d/e/z": b"deep"})
    (tmp_path / "source/d/empty").mkdir()
    fill(target, {"d/x": b"theirs"})
    receipt = move_objects(plan_copy(source, ["d/"], target))
    assert contents_of(target) == {"d/x": b"theirs", "d/y": b"new", "d/e/z": b"deep"}
    assert contents_of(source) == {"d/x": b"mine"}
    assert (receipt.moved, receipt.kept, receipt.in_place) == (2, 1, 2)
    assert (tmp_path / "target/d/empty").is_dir()
    assert [path.name for path in (tmp_path / "source/d").iterdir()] == ["x"]


def test_links_and_devices_stay_when_files_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "d" / "empty").mkdir(parents=True)
    (source / "d" / "link").symlink_to("/etc/hostname")
    (source / "d" / "x").write_text("x")
    receipt = move_all(own_folder(source), MemoryStore("target"))
    assert (receipt.moved, receipt.skipped, receipt.empty_folders) == (1, 1, 1)
    assert {path.name for path in (source / "d").iterdir()} == {"empty", "link"}
    assert "1 empty folder left at the source" in receipt.notes[0]


def test_what_comes_into_an_archive_is_copied_and_read_only(tmp_path: Path) -> None:
    fill(own_folder(tmp_path / "mine"), FILES)
    receipt = move_all(own_folder(tmp_path / "mine"), FolderStore(tmp_path / "archive"))
    assert (receipt.moved, receipt.in_place, receipt.weakest) == (4, 0, "read")
    assert (tmp_path / "archive/a.txt").stat().st_mode & 0o222 == 0
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_file_in_the_place_of_a_folder_loses_neither(tmp_path: Path) -> None:
    source, target = own_folder(tmp_path / "source"), own_folder(tmp_path / "target")
    fill(source, {"d/x": b"x", "e": b"e"})
    fill(target, {"d": b"a file", "e/f": b"a folder"})
    receipt = move_all(source, target)
    assert (receipt.moved, receipt.finding_count) == (0, 2)
    assert contents_of(source) == {"d/x": b"x", "e": b"e"}
    assert contents_of(target) == {"d": b"a file", "e/f": b"a folder"}
