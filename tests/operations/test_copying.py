"""Copying between stores of every kind: what arrives, what is proven, what is left alone, what is said."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.errors import (
    AccessDenied,
    ConfigurationError,
    OperationStopped,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import FindingKind
from archive_tui.names.content_address import content_key
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectReader, ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.copying import CopyReceipt, copy_objects, plan_copy
from archive_tui.operations.copying.putting import LARGE
from archive_tui.progress import Event, Planned
from tests.conformance.store_samples import make_content, put_bytes, read_all
from tests.jobs.kinds.job_work import MemoryJournal

FILES = {"a.txt": b"alpha", "dir/b.bin": b"\0" * 1000, "dir/deep/c.csv": b"1,2\n", "empty": b""}


def own_folder(path: Path) -> FolderStore:
    return FolderStore(path, read_only_objects=False, enters_symlinks=False)


def fill(store: ObjectStore, contents: dict[str, bytes], prefix: str = "") -> None:
    for name, content in contents.items():
        put_bytes(store, prefix + name, content)


def contents_of(store: ObjectStore, prefix: str = "") -> dict[str, bytes]:
    return {listed.key[len(prefix) :]: read_all(store, listed.key) for listed in store.list(prefix)}


def copy_all(source: ObjectStore, target: ObjectStore, into: str = "", **options: Any) -> CopyReceipt:
    return copy_objects(plan_copy(source, [""], target, into), **options)


@pytest.fixture
def source() -> MemoryStore:
    store = MemoryStore("source")
    fill(store, FILES)
    return store


@pytest.fixture(params=["memory", "folder"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore("target") if request.param == "memory" else own_folder(tmp_path / "target")


# ---- what arrives


def test_everything_arrives_and_is_proven(source: MemoryStore, target: ObjectStore) -> None:
    receipt = copy_all(source, target, "in/")
    assert contents_of(target, "in/") == FILES
    assert (receipt.copied, receipt.good, receipt.bytes) == (4, 4, sum(map(len, FILES.values())))
    assert (receipt.finding_count, receipt.weakest, receipt.is_proven) == (0, "read", True)
    assert receipt.sentence == "Verified: 4 objects copied, 1.0 KB"


def test_from_a_folder_to_a_store_and_back(tmp_path: Path) -> None:
    fill(own_folder(tmp_path / "here"), FILES)
    middle, back = MemoryStore(), own_folder(tmp_path / "back")
    copy_all(own_folder(tmp_path / "here"), middle)
    copy_all(middle, back)
    assert contents_of(back) == FILES


def test_a_name_that_ends_in_a_slash_keeps_its_own_name(source: MemoryStore, target: ObjectStore) -> None:
    copy_objects(plan_copy(source, ["dir/", "a.txt"], target, "in/"))
    assert set(contents_of(target)) == {"in/dir/b.bin", "in/dir/deep/c.csv", "in/a.txt"}


def test_names_are_below_the_base(source: MemoryStore, target: ObjectStore) -> None:
    copy_objects(plan_copy(source, ["deep/", "b.bin"], target, base="dir/"))
    assert set(contents_of(target)) == {"deep/c.csv", "b.bin"}
    copy_objects(plan_copy(source, [""], target, "whole/", base="dir/"))
    assert set(contents_of(target, "whole/")) == {"deep/c.csv", "b.bin"}


def test_d_is_not_dd(target: ObjectStore) -> None:
    source = MemoryStore("source")
    fill(source, {"d/x": b"1", "dd/y": b"2"})
    copy_objects(plan_copy(source, ["d/"], target))
    assert set(contents_of(target)) == {"d/x"}


def test_large_objects_are_streamed(tmp_path: Path, target: ObjectStore) -> None:
    content = make_content(LARGE + 12345)
    for source in (MemoryStore("source"), own_folder(tmp_path / "source")):
        put_bytes(source, "large", content)
        copy_all(source, target, f"{source.label[:6]}/")
        assert read_all(target, f"{source.label[:6]}/large") == content


def test_files_in_the_folder_of_a_person_stay_writable(source: MemoryStore, tmp_path: Path) -> None:
    copy_all(source, own_folder(tmp_path / "mine"))
    assert (tmp_path / "mine" / "a.txt").stat().st_mode & 0o200


def test_totals_are_told_while_it_runs(source: MemoryStore, target: ObjectStore) -> None:
    events: list[Event] = []
    copy_all(source, target, report=events.append)
    assert Planned("copy", 4, 1009) in events


# ---- what lies there already


def test_the_same_content_is_left_alone(source: MemoryStore, target: ObjectStore) -> None:
    copy_all(source, target)
    versions = {listed.key: listed.version for listed in target.list()}
    receipt = copy_all(source, target, resolve=lambda conflict: ConflictRule.REPLACE)
    assert (receipt.copied, receipt.same, receipt.bytes, receipt.bytes_same) == (0, 4, 0, 1009)
    assert {listed.key: listed.version for listed in target.list()} == versions


class _SizesOnly(WrappedStore):
    """Has recorded a digest beside each object that it has not computed itself."""

    def info(self, key: str) -> Any:
        return replace(super().info(key), digest=sha256_of_bytes(b"alpha"), attested=False)


def test_neither_size_nor_a_recorded_digest_makes_two_the_same() -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    put_bytes(source, "x", b"alpha")
    put_bytes(target, "x", b"ALPHA")
    receipt = copy_all(source, _SizesOnly(target))
    assert (receipt.same, receipt.kept) == (0, 1)
    assert receipt.findings[0].found == sha256_of_bytes(b"ALPHA")
    assert receipt.findings[0].expected == sha256_of_bytes(b"alpha")


def test_an_attested_digest_is_enough_and_nothing_is_read() -> None:
    source, target = MemoryStore("source"), RecordingStore(MemoryStore("target"))
    fill(source, FILES)
    fill(target, FILES)
    recorded = RecordingStore(source)
    receipt = copy_all(recorded, target)
    assert (receipt.same, receipt.weakest) == (4, "attested")
    assert recorded.count("open") == target.count("open") == 0


# ---- conflicts


@pytest.fixture
def conflicting(source: MemoryStore, target: ObjectStore) -> ObjectStore:
    fill(target, {"a.txt": b"another one", "dir/b.bin": b"\0" * 1000})
    return target


def test_another_content_is_kept_and_said(source: MemoryStore, conflicting: ObjectStore) -> None:
    receipt = copy_all(source, conflicting)
    assert read_all(conflicting, "a.txt") == b"another one"
    assert (receipt.kept, receipt.same, receipt.copied, receipt.finding_count) == (1, 1, 2, 1)
    assert receipt.findings[0].kind is FindingKind.CHANGED
    assert "was kept" in receipt.findings[0].detail
    assert receipt.sentence.startswith("Not everything was copied: 2 objects copied")


def test_keep_both_takes_the_next_free_name(source: MemoryStore, conflicting: ObjectStore) -> None:
    put_bytes(conflicting, "a (2).txt", b"taken as well")
    for expected in ("renamed", "same"):  # the second time it lies there under its other name
        receipt = copy_all(source, conflicting, resolve=lambda conflict: ConflictRule.KEEP_BOTH)
        assert getattr(receipt, expected) >= 1
        assert receipt.finding_count == 0
        assert read_all(conflicting, "a.txt") == b"another one"
        assert read_all(conflicting, "a (2).txt") == b"taken as well"
        assert read_all(conflicting, "a (3).txt") == b"alpha"
        assert len(contents_of(conflicting)) == 6


def test_replace_replaces(source: MemoryStore, conflicting: ObjectStore) -> None:
    receipt = copy_all(source, conflicting, resolve=lambda conflict: ConflictRule.REPLACE)
    assert contents_of(conflicting) == FILES
    assert (receipt.replaced, receipt.same, receipt.finding_count) == (1, 1, 0)


class _ChangedMeanwhile(WrappedStore):
    """Somebody else writes right before each replacement, `times` times."""

    times = 1

    def put(self, key: str, chunks: Any, size: int | None = None, **options: Any) -> Any:
        if options.get("if_match") is not None and self.times:
            self.times -= 1
            self.inner.put(key, [b"somebody was faster %d" % self.times], overwrite=True)
        return super().put(key, chunks, size, **options)


def test_what_was_not_looked_at_is_never_replaced(source: MemoryStore, conflicting: ObjectStore) -> None:
    asked: list[str] = []

    def resolve(conflict: Conflict) -> ConflictRule:
        asked.append(conflict.found)
        return ConflictRule.REPLACE if len(asked) == 1 else ConflictRule.KEEP

    receipt = copy_all(source, _ChangedMeanwhile(conflicting), resolve=resolve)
    assert len(asked) == 2
    assert receipt.kept == 1
    assert read_all(conflicting, "a.txt") == b"somebody was faster 0"


def test_what_keeps_changing_is_a_finding(source: MemoryStore, conflicting: ObjectStore) -> None:
    store = _ChangedMeanwhile(conflicting)
    store.times = 100
    receipt = copy_all(source, store, resolve=lambda conflict: ConflictRule.REPLACE)
    assert receipt.failed == 1
    assert "keeps changing" in receipt.findings[0].detail


def test_of_two_copies_at_once_each_object_is_written_once(tmp_path: Path) -> None:
    source = MemoryStore("source")
    fill(source, {f"{number}": b"%d" % number for number in range(50)})
    receipts: list[CopyReceipt] = []
    threads = [
        threading.Thread(target=lambda: receipts.append(copy_all(source, own_folder(tmp_path / "t"), "in/")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(receipt.copied for receipt in receipts) == 50
    assert sum(receipt.same for receipt in receipts) == 150


PROTECTED = ["winds.1.0.0.zip", "sub/winds.1.0.0.manifest.json"]


@pytest.mark.parametrize("name", PROTECTED)
def test_published_versions_are_never_replaced(name: str, target: ObjectStore) -> None:
    source = MemoryStore("source")
    put_bytes(source, name, b"new")
    put_bytes(target, name, b"published")
    choices: list[tuple[ConflictRule, ...]] = []

    def resolve(conflict: Conflict) -> ConflictRule:
        choices.append(conflict.choices)
        return ConflictRule.REPLACE

    receipt = copy_all(source, target, resolve=resolve)
    assert choices == [(ConflictRule.KEEP, ConflictRule.KEEP_BOTH)]
    assert (receipt.kept, read_all(target, name)) == (1, b"published")
    assert "never replaced" in receipt.findings[0].detail


@pytest.mark.parametrize("rule", [ConflictRule.REPLACE, ConflictRule.KEEP_BOTH])
def test_a_content_of_a_vault_is_never_replaced(rule: ConflictRule, target: ObjectStore) -> None:
    source = MemoryStore("source")
    key = content_key(sha256_of_bytes(b"right"), "any/prefix/")
    put_bytes(source, key, b"right")
    put_bytes(target, key, b"wrong")
    receipt = copy_all(source, target, resolve=lambda conflict: rule)
    assert (receipt.kept, read_all(target, key)) == (1, b"wrong")
    assert len(contents_of(target)) == 1


@pytest.mark.parametrize("size", [5, LARGE + 1])
def test_only_its_own_content_comes_to_an_address_of_a_vault(size: int, target: ObjectStore, tmp_path: Path) -> None:
    content = make_content(size)
    right, wrong = content_key(sha256_of_bytes(content)), content_key(sha256_of_bytes(b"another"))
    for source in (MemoryStore("source"), own_folder(tmp_path / "source")):
        fill(source, {right: content, wrong: content})
        receipt = copy_all(source, target)
        assert receipt.finding_count == receipt.failed == 1
        assert receipt.findings[0].path == wrong
        assert set(contents_of(target)) == {right}


def test_a_folder_deep_in_a_vault_is_no_way_around(tmp_path: Path) -> None:
    key = content_key(sha256_of_bytes(b"right"))
    put_bytes(FolderStore(tmp_path / "archive"), key, b"right")
    folder, _, name = key.rpartition("/")
    source = MemoryStore("source")
    put_bytes(source, name, b"wrong")
    receipt = copy_all(source, own_folder(tmp_path / "archive" / folder), resolve=lambda conflict: ConflictRule.REPLACE)
    assert receipt.kept == 1
    assert (tmp_path / "archive" / key).read_bytes() == b"right"


# ---- asking, and what a later run inherits


def test_what_is_asked_about_waits_and_the_rest_is_done(source: MemoryStore, conflicting: ObjectStore) -> None:
    journal = MemoryJournal()
    receipt = copy_all(source, conflicting, journal=journal, resolve=lambda conflict: ConflictRule.ASK)
    assert (receipt.undecided, receipt.copied, receipt.same, receipt.finding_count) == (1, 2, 1, 0)
    assert read_all(conflicting, "a.txt") == b"another one"
    recorded = RecordingStore(source)
    receipt = copy_all(recorded, conflicting, journal=journal, resolve=lambda conflict: ConflictRule.REPLACE)
    assert (receipt.replaced, receipt.inherited, receipt.undecided) == (1, 3, 0)
    assert recorded.count("open") == 1
    assert contents_of(conflicting) == FILES


def test_an_answer_is_about_what_lay_there_when_it_was_asked(source: MemoryStore, conflicting: ObjectStore) -> None:
    journal = MemoryJournal()
    copy_all(source, conflicting, journal=journal, resolve=lambda conflict: ConflictRule.ASK)
    conflicting.put("a.txt", [b"a third one"], overwrite=True)
    receipt = copy_all(source, conflicting, journal=journal, resolve=lambda conflict: ConflictRule.REPLACE)
    assert receipt.kept == 1
    assert "changed since it was decided" in receipt.findings[0].detail
    assert read_all(conflicting, "a.txt") == b"a third one"


def test_a_second_run_inherits_what_has_not_changed(source: MemoryStore, target: ObjectStore) -> None:
    journal = MemoryJournal()
    first = copy_all(source, target, journal=journal)
    recorded = RecordingStore(source)
    second = copy_all(recorded, target, journal=journal)
    assert (second.inherited, second.copied, second.bytes) == (4, 4, first.bytes)
    assert recorded.count("open") == 0
    assert second.notes == ("4 objects proven by an earlier run of this job, and unchanged on both sides since.",)


def test_nothing_is_inherited_blindly(source: MemoryStore, target: ObjectStore) -> None:
    journal = MemoryJournal()
    copy_all(source, target, journal=journal)
    source.put("a.txt", [b"ALPHA"], overwrite=True)  # the source has changed
    target.delete("dir/b.bin")  # the copy is gone
    target.put("dir/deep/c.csv", [b"9,9\n"], overwrite=True)  # the copy has changed
    receipt = copy_all(source, target, journal=journal)
    assert receipt.inherited == 1
    assert {finding.path for finding in receipt.findings} == {"a.txt", "dir/deep/c.csv"}
    assert read_all(target, "dir/b.bin") == FILES["dir/b.bin"]


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_copy_that_failed_goes_on(call: int, source: MemoryStore, target: ObjectStore) -> None:
    journal = MemoryJournal()
    with pytest.raises(StorageUnavailable):
        copy_all(source, FaultyStore(target, Fault("put", call=call)), journal=journal, threads=1)
    receipt = copy_all(source, target, journal=journal)
    assert contents_of(target) == FILES
    assert receipt.inherited == call - 1
    assert receipt.copied == 4


def test_a_finding_of_an_earlier_run_is_looked_at_again(source: MemoryStore, conflicting: ObjectStore) -> None:
    journal = MemoryJournal()
    assert copy_all(source, conflicting, journal=journal).kept == 1
    conflicting.delete("a.txt")
    assert copy_all(source, conflicting, journal=journal).finding_count == 0
    assert read_all(conflicting, "a.txt") == b"alpha"


def test_a_stop_is_obeyed_and_what_was_done_is_written_down(source: MemoryStore, target: ObjectStore) -> None:
    stop = threading.Event()
    journal = MemoryJournal()

    class StopsAfterTwo(WrappedStore):
        def put(self, *values: Any, **options: Any) -> Any:
            result = super().put(*values, **options)
            if len(journal.of("copy")) == 1:
                stop.set()
            return result

    with pytest.raises(OperationStopped):
        copy_all(source, StopsAfterTwo(target), journal=journal, stop=stop, threads=1)
    assert [mark.outcome for mark in journal.of("copy")] == ["copied", "copied"]
    assert all(mark.is_good and mark.stamp and mark.digest and mark.evidence == "read" for mark in journal.of("copy"))


# ---- what cannot be copied


def test_names_that_the_target_refuses_are_findings(tmp_path: Path) -> None:
    class Strange(MemoryStore):
        def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Any]:
            good = next(iter(super().list("good")))
            for key in ("../climb", "a//b", "/absolute", "dir/../../x", "x" * 300, "line\nbreak", "\udcff", "good"):
                yield replace(good, key=key)

    source = Strange("source")
    put_bytes(source, "good", b"content")
    receipt = copy_all(source, own_folder(tmp_path / "a" / "b"))
    assert (receipt.copied, receipt.failed) == (1, 7)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "good"]


def test_a_file_where_a_folder_should_be_is_a_finding(source: MemoryStore, tmp_path: Path) -> None:
    (tmp_path / "dir").write_text("a file")
    (tmp_path / "a.txt").mkdir()
    for rule in ConflictRule.REPLACE, ConflictRule.KEEP:
        receipt = copy_all(source, own_folder(tmp_path), resolve=lambda conflict, rule=rule: rule)
        assert {finding.path for finding in receipt.findings} == {"a.txt", "dir/b.bin", "dir/deep/c.csv"}
    assert (tmp_path / "dir").read_text() == "a file"
    receipt = copy_all(source, own_folder(tmp_path), resolve=lambda conflict: ConflictRule.KEEP_BOTH)
    assert (tmp_path / "a (2).txt").read_bytes() == b"alpha"
    assert receipt.failed == 2


def test_what_is_no_file_is_said_and_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("private")
    here = tmp_path / "here"
    (here / "empty").mkdir(parents=True)
    (here / "file").write_text("content")
    (here / "link").symlink_to(secret / "key")
    (here / "tree").symlink_to(secret)
    (here / "broken").symlink_to("nowhere")
    os.mkfifo(here / "pipe")
    (here / ".archive-tui-0123.part").write_text("unfinished")
    target = MemoryStore("target")
    receipt = copy_all(own_folder(here), target)
    assert set(contents_of(target)) == {"file"}
    assert {finding.path for finding in receipt.findings} == {"link", "tree", "broken", "pipe"}
    assert (receipt.skipped, receipt.empty_folders) == (4, 1)
    assert receipt.notes == ("1 empty folder not copied: a store holds files only.",)


def test_a_link_that_is_named_is_not_followed_either(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to("/etc/hostname")
    (tmp_path / "here" / "tree").symlink_to("/etc")
    target = MemoryStore("target")
    receipt = copy_objects(plan_copy(own_folder(tmp_path / "here"), ["link", "tree/", "tree/hostname"], target))
    assert contents_of(target) == {}
    assert receipt.finding_count == 3


def test_nothing_is_written_through_a_link_in_the_target(source: MemoryStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("mine")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "dir").symlink_to(outside)
    (tmp_path / "target" / "a.txt").symlink_to(outside / "a.txt")
    for rule in ConflictRule:
        receipt = copy_all(source, own_folder(tmp_path / "target"), resolve=lambda conflict, rule=rule: rule)
        assert {finding.path for finding in receipt.findings} >= {"a.txt", "dir/b.bin", "dir/deep/c.csv"}
    assert [path.name for path in outside.iterdir()] == ["a.txt"]
    assert (outside / "a.txt").read_text() == "mine"


def test_what_is_not_there_is_a_finding(source: MemoryStore, target: ObjectStore, tmp_path: Path) -> None:
    for store in (source, own_folder(tmp_path / "nothing")):
        receipt = copy_objects(plan_copy(store, ["absent", "absent/"], target, "in/"))
        assert [finding.kind for finding in receipt.findings] == [FindingKind.MISSING] * 2
        assert receipt.failed == 2


def test_a_copy_into_itself_is_refused(tmp_path: Path) -> None:
    for base in (MemoryStore("place"), own_folder(tmp_path)):
        fill(base, {"d/x": b"1", "d/e/y": b"2", "other": b"3"})
        for names, into in ([[""], "d/"], [["d/"], "d/e/"], [["d/"], ""], [[""], ""]):
            with pytest.raises(ConfigurationError) as caught:
                plan_copy(base, names, base, into)
            assert caught.value.code == "copy-into-itself"
    (tmp_path / "link").symlink_to("d")
    with pytest.raises(ConfigurationError):
        plan_copy(own_folder(tmp_path), ["d/"], own_folder(tmp_path / "link"), "below/")


def test_nothing_is_written_among_what_is_copied(target: ObjectStore) -> None:
    fill(target, {"d/d/x": b"deep", "d/y": b"1"})
    receipt = copy_objects(plan_copy(target, [""], target, base="d/"))
    assert {finding.path: finding.detail for finding in receipt.findings} == {
        "d/x": "it would be written among what is copied"
    }
    assert set(contents_of(target)) == {"d/d/x", "d/y", "y"}


# ---- sources that fail, change and lie


def test_an_object_that_is_damaged_at_the_source_is_a_finding(source: MemoryStore, target: ObjectStore) -> None:
    receipt = copy_all(FaultyStore(source, Fault("open", FaultKind.FLIPPED, call=0)), target)
    # What has no byte cannot be damaged.
    assert (receipt.copied, receipt.failed) == (1, 3)
    assert {finding.kind for finding in receipt.findings} == {FindingKind.CHANGED}
    assert set(contents_of(target)) == {"empty"}


def test_a_large_one_that_is_damaged_leaves_nothing(target: ObjectStore) -> None:
    source = MemoryStore("source")
    put_bytes(source, "large", make_content(LARGE + 1))
    for kind in (FaultKind.FLIPPED, FaultKind.TRUNCATED):
        receipt = copy_all(FaultyStore(source, Fault("open", kind, call=0, position=LARGE)), target)
        assert receipt.failed == 1
        assert contents_of(target) == {}


class _ChangesWhileRead(WrappedStore):
    """A file is rewritten while it is read, `times` times."""

    times = 1

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        reader = super().open(key, offset, length)
        if self.times:
            self.times -= 1
            self.rewrite(key)
        return reader

    def rewrite(self, key: str) -> None:
        path = self.inner.root / key  # type: ignore[attr-defined]
        content = path.read_bytes()
        path.write_bytes(bytes(reversed(content)))
        os.utime(path, ns=(self.times, self.times))


@pytest.mark.parametrize("size", [1000, LARGE + 1000])
def test_a_file_that_changes_while_it_is_read_is_begun_anew(size: int, target: ObjectStore, tmp_path: Path) -> None:
    content = make_content(size)
    here = own_folder(tmp_path / "here")
    put_bytes(here, "x", content)
    receipt = copy_all(_ChangesWhileRead(here), target)
    assert receipt.finding_count == 0
    assert read_all(target, "x") == bytes(reversed(content))


def test_a_file_that_keeps_changing_is_a_finding_and_nothing_of_it_is_visible(tmp_path: Path) -> None:
    here, target = own_folder(tmp_path / "here"), MemoryStore("target")
    put_bytes(here, "x", make_content(1000))
    put_bytes(here, "y", b"quiet")
    changing = _ChangesWhileRead(here)
    changing.times = 1000
    receipt = copy_objects(plan_copy(changing, ["x"], target))
    assert receipt.failed == 1
    assert contents_of(target) == {}


def test_a_source_that_denies_one_object_gives_the_others(source: MemoryStore, target: ObjectStore) -> None:
    denied = AccessDenied("Not allowed")
    receipt = copy_all(FaultyStore(source, Fault("open", call=1, error=denied)), target, threads=1)
    assert (receipt.copied, receipt.failed) == (3, 1)
    assert receipt.findings[0].kind is FindingKind.UNREADABLE


@pytest.mark.parametrize(
    "error", [StorageUnavailable("gone"), StorageFull("full"), AccessDenied("no"), StorageError("x", code="tls")]
)
def test_what_befalls_every_object_ends_the_copy(error: StorageError, source: MemoryStore) -> None:
    target = MemoryStore("target")
    with pytest.raises(type(error)):
        copy_all(source, FaultyStore(target, Fault("put", call=2, error=error)), threads=1)
    assert len(contents_of(target)) == 1


@pytest.mark.parametrize("kind", list(FaultKind))
@pytest.mark.parametrize("operation", ["open", "put", "info", "list"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_every_fault_ends_in_success_or_in_a_typed_failure(
    kind: FaultKind, operation: str, side: str, source: MemoryStore, tmp_path: Path
) -> None:
    """And then the repeat completes."""
    target = own_folder(tmp_path / "target")
    put_bytes(target, "in/a.txt", b"alpha")
    for call in (1, 2, 0):
        journal = MemoryJournal()
        fault = Fault(operation, kind, call=call, position=1)
        stores = {"source": source, "target": target}
        stores[side] = FaultyStore(stores[side], fault)  # type: ignore[assignment]
        before = contents_of(target, "in/")
        try:
            receipt = copy_all(stores["source"], stores["target"], "in/", journal=journal)
        except StorageUnavailable:
            receipt = None
        after = contents_of(target, "in/")
        assert before.items() <= after.items() <= FILES.items()
        if receipt is not None and not receipt.finding_count and fault.operation != "list":
            assert after == FILES
        assert not list((tmp_path / "target").rglob("*.part"))
        repeated = copy_all(source, target, "in/", journal=journal)
        assert (repeated.good, repeated.finding_count) == (4, 0)
        assert contents_of(target, "in/") == FILES
        for key in set(FILES) - {"a.txt"}:
            target.delete(f"in/{key}")


# ---- many and large


def test_a_listing_is_taken_as_it_comes(target: ObjectStore) -> None:
    """Of a million objects only some are under way at a time."""
    taken = 0

    class Endless(MemoryStore):
        def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Any]:
            nonlocal taken
            info = self.info("x")
            while True:
                if threading.current_thread().name != "count":
                    taken += 1
                yield info

    source = Endless("source")
    put_bytes(source, "x", b"content")
    stop = threading.Event()
    seen = 0

    def resolve_after(event: Event) -> None:
        nonlocal seen
        seen += 1
        if seen > 20:
            stop.set()

    with pytest.raises(OperationStopped):
        copy_all(source, target, "in/", stop=stop, report=resolve_after, threads=2)
    assert taken < 1_000_000


def test_memory_does_not_grow_with_findings(source: MemoryStore) -> None:
    from archive_tui.operations.copying import receipt, tally

    class Missing(MemoryStore):
        def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Any]:
            info = self.info("a.txt")
            for number in range(receipt.FINDINGS_KEPT + 50):
                yield replace(info, key=f"//{number}")

    missing = Missing("source")
    fill(missing, FILES)
    found = copy_all(missing, MemoryStore("target"))
    assert len(found.findings) == receipt.FINDINGS_KEPT == tally.FINDINGS_KEPT
    assert found.finding_count == receipt.FINDINGS_KEPT + 50


def test_evidence_is_told_of_what_was_written_or_read(source: MemoryStore, target: ObjectStore) -> None:
    noted: list[Any] = []
    copy_all(source, target, "in/", note_evidence=noted.append)
    assert {(each.key, each.level, each.digest) for each in noted} == {
        (f"in/{name}", EvidenceLevel.READ, sha256_of_bytes(content)) for name, content in FILES.items()
    }
