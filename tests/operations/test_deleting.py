"""Deleting: counted first, never what is protected, never more than was counted, and it goes on where it ended."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_tui.errors import AccessDenied, ArchiveError, OperationStopped, StorageError, StorageUnavailable
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.names.content_address import content_key
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.deleting import DeleteReceipt, delete_objects, plan_delete
from archive_tui.operations.deleting.deleting import MOST_DENIALS
from archive_tui.operations.deleting.receipt import FINDINGS_KEPT
from tests.conformance.store_samples import listed_keys, put_bytes
from tests.jobs.kinds.job_work import MemoryJournal

CONTENT = content_key(sha256_of_bytes(b"content"))


def own_folder(path: Path) -> FolderStore:
    return FolderStore(path, read_only_objects=False, enters_symlinks=False)


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    made = MemoryStore() if request.param == "memory" else own_folder(tmp_path / "store")
    for key in ("a.txt", "d/b.bin", "d/e/c.csv", "dd/x"):
        put_bytes(made, key, key.encode())
    return made


def test_what_is_named_goes_and_nothing_else(store: ObjectStore) -> None:
    receipt = delete_objects(store, ["d/", "a.txt"])
    assert listed_keys(store) == ["dd/x"]
    assert (receipt.deleted, receipt.bytes, receipt.finding_count) == (3, 21, 0)
    assert receipt.sentence == "Deleted: 3 objects, 21 B"


def test_names_are_below_the_base(store: ObjectStore) -> None:
    assert delete_objects(store, ["b.bin"], base="d/").deleted == 1
    assert delete_objects(store, [""], base="d/").deleted == 1
    assert sorted(listed_keys(store)) == ["a.txt", "dd/x"]


def test_a_plan_counts_and_touches_nothing(store: ObjectStore) -> None:
    plan = plan_delete(store, [""])
    assert (plan.objects, plan.bytes, plan.protected, plan.amount) == (4, 25, (), "4 objects, 25 B")
    assert len(listed_keys(store)) == 4


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("d/winds.1.0.0.zip", "a published version"),
        ("d/winds.1.0.0.manifest.json", "the manifest of a published version"),
        (f"d/{CONTENT}", "a content of a vault"),
        ("d/" + CONTENT.removeprefix("object/"), "a content of a vault"),
    ],
)
def test_what_is_protected_keeps_everything(key: str, what: str, store: ObjectStore) -> None:
    put_bytes(store, key, b"content")
    before = sorted(listed_keys(store))
    for names in ([""], ["d/"], [key], ["a.txt", key]):
        with pytest.raises(StorageError, match=f"{what} is never deleted this way") as caught:
            delete_objects(store, names)
        assert caught.value.code == "delete-protected"
    assert sorted(listed_keys(store)) == before


def test_a_refusal_says_what_belongs_to_it_and_which_command_deletes_it(store: ObjectStore) -> None:
    put_bytes(store, "winds.1.0.0.zip", b"published")
    put_bytes(store, "winds.1.0.0.manifest.json", b"{}")
    for key, other in (("zip", "manifest.json"), ("manifest.json", "zip")):
        with pytest.raises(StorageError) as caught:
            delete_objects(store, [f"winds.1.0.0.{key}"])
        assert f"It belongs to winds.1.0.0.{other}, which lies beside it." in caught.value.hint
        assert "archive-tui dataset delete STORAGE NAME VERSION" in caught.value.hint


@pytest.mark.parametrize("key", [CONTENT, "ümläut/winds.1.0.0.zip"])
def test_a_folder_deep_in_an_archive_is_no_way_around(key: str, tmp_path: Path) -> None:
    put_bytes(FolderStore(tmp_path), key, b"content")
    folder, _, name = key.rpartition("/")
    with pytest.raises(StorageError, match="never deleted"):
        delete_objects(own_folder(tmp_path / folder), [name])
    assert (tmp_path / key).exists()


def test_no_more_than_was_confirmed(store: ObjectStore) -> None:
    with pytest.raises(StorageError, match=r"4 objects to delete by now, and 3 were confirmed") as caught:
        delete_objects(store, [""], confirmed=3)
    assert caught.value.code == "delete-changed"
    assert len(listed_keys(store)) == 4
    assert delete_objects(store, [""], confirmed=4).deleted == 4


class _GrowsMeanwhile(WrappedStore):
    """Somebody writes one more whenever one is deleted."""

    count = 0

    def delete(self, key: str) -> None:
        super().delete(key)
        self.count += 1
        put_bytes(self.inner, f"d/new{self.count}", b"new")


def test_what_comes_meanwhile_stays(store: ObjectStore) -> None:
    growing = _GrowsMeanwhile(store)
    receipt = delete_objects(growing, ["d/"], threads=1)
    assert receipt.deleted == 2
    assert receipt.finding_count >= 1
    assert "not there when all was counted" in receipt.findings[0].detail
    assert receipt.sentence.startswith("Not everything could be deleted: deleted 2 objects")


def test_a_deletion_that_was_interrupted_goes_on(store: ObjectStore) -> None:
    journal = MemoryJournal()
    with pytest.raises(StorageUnavailable):
        delete_objects(FaultyStore(store, Fault("delete", call=3)), [""], journal=journal, confirmed=4, threads=1)
    assert len(listed_keys(store)) == 2
    receipt = delete_objects(store, [""], journal=journal, confirmed=4)
    assert listed_keys(store) == []
    assert (receipt.deleted, receipt.gone_before, receipt.finding_count) == (2, 2, 0)
    assert "2 were gone when this run began" in receipt.sentence
    assert len(journal.of("delete")) == 4
    again = delete_objects(store, ["", "a.txt"], journal=journal)
    assert (again.deleted, again.gone_before, again.finding_count) == (0, 4, 0)


def test_one_that_goes_on_does_not_take_what_has_come(store: ObjectStore) -> None:
    journal = MemoryJournal()
    with pytest.raises(StorageUnavailable):
        delete_objects(FaultyStore(store, Fault("delete", call=1)), [""], journal=journal, threads=1)
    put_bytes(store, "new", b"new")
    with pytest.raises(StorageError) as caught:
        delete_objects(store, [""], journal=journal)
    assert caught.value.code == "delete-changed"
    assert len(listed_keys(store)) == 5


def test_a_stop_is_obeyed(store: ObjectStore) -> None:
    stop = threading.Event()

    class StopsAtOnce(WrappedStore):
        def delete(self, key: str) -> None:
            super().delete(key)
            stop.set()

    with pytest.raises(OperationStopped):
        delete_objects(StopsAtOnce(store), [""], stop=stop, threads=1)
    assert len(listed_keys(store)) == 3


@pytest.mark.parametrize("kind", [FaultKind.BEFORE, FaultKind.AFTER, FaultKind.RESET, FaultKind.TRUNCATED])
@pytest.mark.parametrize("operation", ["delete", "list", "info"])
def test_every_fault_ends_in_success_or_a_typed_failure(kind: FaultKind, operation: str) -> None:
    for call in (1, 2, 0):
        store = MemoryStore()
        for number in range(4):
            put_bytes(store, f"d/{number}", b"x")
        put_bytes(store, "other", b"x")
        journal = MemoryJournal()
        try:
            receipt: DeleteReceipt | None = delete_objects(
                FaultyStore(store, Fault(operation, kind, call=call, position=2)), ["d/"], journal=journal
            )
        except ArchiveError as error:
            assert isinstance(error, StorageUnavailable)
            receipt = None
        if receipt is not None and not receipt.finding_count and operation != "list":
            assert listed_keys(store) == ["other"]
        if kind is not FaultKind.TRUNCATED:  # then fewer were counted, and no more than these are deleted
            delete_objects(store, ["d/"], journal=journal)
            assert listed_keys(store) == ["other"]


def test_one_object_that_is_denied_is_a_finding(store: ObjectStore) -> None:
    denied = Fault("delete", call=2, error=AccessDenied("retention"))
    receipt = delete_objects(FaultyStore(store, denied), ["d/", "a.txt"], threads=1)
    # The second round passes it by: what is refused once is not tried again.
    assert (receipt.deleted, receipt.failed, receipt.finding_count) == (2, 1, 1)
    assert receipt.findings[0].detail == "retention"


def test_who_may_delete_nothing_is_told_soon() -> None:
    store = MemoryStore()
    for number in range(MOST_DENIALS + 20):
        put_bytes(store, str(number), b"x")
    with pytest.raises(AccessDenied):
        delete_objects(FaultyStore(store, Fault("delete", call=0, error=AccessDenied("no"))), [""], threads=1)


def test_what_is_not_there_is_said(store: ObjectStore) -> None:
    receipt = delete_objects(store, ["absent/"])
    assert (receipt.deleted, receipt.skipped, receipt.finding_count) == (0, 1, 1)
    assert delete_objects(store, ["absent"]).deleted == 0


# ---- folders of this machine


def test_emptied_folders_go_and_the_root_stays(tmp_path: Path) -> None:
    store = own_folder(tmp_path / "root")
    put_bytes(store, "d/e/f/x", b"x")
    (tmp_path / "root" / "d" / "was empty").mkdir()
    (tmp_path / "root" / "other").mkdir()
    receipt = delete_objects(store, ["d/"])
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["other"]
    assert receipt.folders == 4
    delete_objects(store, [""])
    assert list((tmp_path / "root").iterdir()) == []


def test_a_link_goes_itself_and_not_what_it_leads_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "d" / "tree").symlink_to(outside)
    (root / "d" / "file").symlink_to(outside / "mine")
    (root / "d" / "broken").symlink_to("nowhere")
    (root / "alone").symlink_to(outside / "mine")
    (root / "through").symlink_to(outside)
    receipt = delete_objects(own_folder(root), ["d/", "alone", "through/"])
    assert (receipt.deleted, receipt.finding_count) == (5, 0)
    assert list(root.iterdir()) == []
    assert (outside / "mine").read_text() == "mine"
    (root / "through").symlink_to(outside)
    assert delete_objects(own_folder(root), ["through/mine"]).deleted == 0
    assert (outside / "mine").read_text() == "mine"


def test_what_is_no_file_stays_as_a_finding(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    os.mkfifo(root / "d" / "pipe")
    (root / "d" / "x").write_text("x")
    (root / "d" / ".archive-tui-0123.part").write_text("somebody writes")
    receipt = delete_objects(own_folder(root), ["d/"])
    assert (receipt.deleted, receipt.skipped, receipt.finding_count, receipt.folders) == (1, 1, 1, 0)
    assert {path.name for path in (root / "d").iterdir()} == {"pipe", ".archive-tui-0123.part"}


def test_memory_does_not_grow_with_findings() -> None:
    class Lies(MemoryStore):
        def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Any]:
            info = self.info("x")
            for number in range(FINDINGS_KEPT + 50):
                yield replace(info, key=f"//{number}")

    store = Lies()
    put_bytes(store, "x", b"x")
    receipt = delete_objects(store, [""])
    assert len(receipt.findings) == FINDINGS_KEPT
    assert receipt.finding_count == FINDINGS_KEPT + 50
