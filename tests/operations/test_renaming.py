"""Renaming: what names become, what clashes before anything is touched, and names that are exchanged."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    InvalidName,
    OperationStopped,
    StorageError,
)
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.renaming import RenameRule, list_names, plan_renames, rename_objects
from archive_tui.operations.renaming.waves import arrange_in_waves, make_free_name
from tests.conformance.store_samples import listed_keys, put_bytes, read_all
from tests.jobs.kinds.job_work import MemoryJournal

# ---- what a name becomes


@pytest.mark.parametrize(
    ("pattern", "to", "name", "expected"),
    [
        ("*.jpeg", "{1}.jpg", "a.b.jpeg", "a.b.jpg"),
        ("*.jpeg", "{1}.jpg", "a.png", None),
        ("run?-*", "{2}-{1}", "run7-x", "x-7"),
        ("*", "{stem}_old{suffix}", "a.tar.gz", "a.tar_old.gz"),
        ("*", "{stem}|{suffix}", ".profile", ".profile|"),
        ("*", "{n:3}_{name}", "x", "005_x"),
        ("[ab].txt", "{{{name}}}", "[ab].txt", "{[ab].txt}"),
        ("*a*b", "{1}-{2}", "xaayb", "x-ay"),
    ],
)
def test_patterns(pattern: str, to: str, name: str, expected: str | None) -> None:
    assert RenameRule.by_pattern(pattern, to).apply(name, 4) == expected


@pytest.mark.parametrize(
    ("search", "to", "name", "expected"),
    [
        (r"\d+", "<{n}>", "a1b22", "a<1>b<1>"),
        (r"^run(\d+)", "series-{1}", "run12.csv", "series-12.csv"),
        (r"\.(jpe?g|png)$", ".{1}.bak", "x.jpeg", "x.jpeg.bak"),
        ("x(y)?", "[{1}]", "x", "[]"),
        ("q", "z", "a", None),
    ],
)
def test_regular_expressions(search: str, to: str, name: str, expected: str | None) -> None:
    assert RenameRule.by_regex(search, to).apply(name, 0) == expected


def test_a_literal_name_is_taken_as_it_is() -> None:
    assert RenameRule.literal("{n} {x} *").apply("old", 3) == "{n} {x} *"


@pytest.mark.parametrize(
    ("pattern", "to", "is_regex"),
    [
        ("*", "{2}", False),
        ("*", "{", False),
        ("*", "{nn}", False),
        ("", "x", False),
        ("*" * 10, "x", False),
        ("(", "x", True),
        ("a{99999999999}", "x", True),
        ("(a+)+$", "x", True),
        ("(a|aa)*b", "x", True),
        ("((a)b+){2,}", "x", True),
        ("([)]+)*", "x", True),
        ("x" * 501, "x", True),
    ],
)
def test_patterns_that_cannot_be_used(pattern: str, to: str, is_regex: bool) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RenameRule.by_regex(pattern, to) if is_regex else RenameRule.by_pattern(pattern, to)
    assert caught.value.code == "rename-pattern"


def test_a_pattern_that_nearly_fits_is_decided_at_once() -> None:
    started = time.process_time()
    assert RenameRule.by_pattern("*a*a*a*a*a*a*a*a*b", "x").apply("a" * 250, 0) is None
    assert time.process_time() - started < 10  # tried out by going back it would take longer than the world exists


# ---- what clashes


def plan(names: list[str], rule: RenameRule, *more: str) -> Any:
    return plan_renames(names, rule, [*names, *more])


def test_a_plan_has_every_name_once() -> None:
    rule = RenameRule.by_pattern("*.jpeg", "{1}.jpg")
    made = plan(["a.jpeg", "b.jpeg", "c.png", "winds.1.0.0.zip"], rule, "b.jpg")
    assert made.renames == (("a.jpeg", "a.jpg"),)
    assert [(clash.old, clash.new) for clash in made.clashes] == [("b.jpeg", "b.jpg")]
    assert made.unchanged == ("c.png", "winds.1.0.0.zip")
    with pytest.raises(ConfigurationError) as caught:
        made.check()
    assert caught.value.code == "rename-clash"


def test_two_that_become_one_clash_both() -> None:
    made = plan(["a1", "a2", "b"], RenameRule.by_regex(r"\d", ""))
    assert (len(made.clashes), made.renames) == (2, ())


def test_names_that_are_exchanged_do_not_clash() -> None:
    made = plan(["1", "2", "3"], RenameRule.by_regex("^(.)$", "{n}"))
    assert made.unchanged == ("1", "2", "3")
    shifted = plan(["1", "2", "3"], RenameRule.by_pattern("?", "{n}", first=2))
    assert shifted.renames == (("1", "2"), ("2", "3"), ("3", "4"))
    assert shifted.is_clean
    blocked = plan(["1", "2", "3"], RenameRule.by_pattern("?", "{n}", first=2), "4")
    assert len(blocked.clashes) == 3  # the last one cannot go, so none before it can


def test_a_file_and_a_folder_cannot_share_a_name() -> None:
    assert plan(["a"], RenameRule.literal("d"), "d/").clashes
    assert plan(["a/"], RenameRule.literal("d"), "d").clashes
    assert plan(["a/"], RenameRule.literal("d")).renames == (("a/", "d/"),)


@pytest.mark.parametrize("new", ["", ".", "..", "a/b", "x\ny", "x" * 300, ".archive-tui-x.part"])
def test_what_is_no_name_is_refused(new: str) -> None:
    made = plan(["old"], RenameRule.literal(new))
    assert (made.renames, len(made.refused)) == ((), 1)
    with pytest.raises(ConfigurationError) as caught:
        made.check()
    assert caught.value.code == "rename-refused"


def test_published_versions_are_refused() -> None:
    assert plan(["winds.1.0.0.zip"], RenameRule.literal("x")).refused == (
        ("winds.1.0.0.zip", "it is a published version"),
    )


def test_waves_give_each_name_when_it_is_free() -> None:
    waves = arrange_in_waves([("1", "2"), ("2", "3"), ("3", "1"), ("x", "y")], "t")
    there = {"1", "2", "3", "x"}
    content = {name: name for name in there}
    for wave in waves:
        assert not set(wave.values()) & (there - set()), "a name that is taken"
        for old, new in wave.items():
            content[new] = content.pop(old)
        there = set(content)
    assert content == {"2": "1", "3": "2", "1": "3", "y": "x"}
    assert len(make_free_name("ä" * 127 + "/", "0123abcd").encode()) <= 256


# ---- renaming


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    made: ObjectStore = MemoryStore()
    if request.param == "folder":
        made = FolderStore(tmp_path / "store", read_only_objects=False, enters_symlinks=False)
    for key in ("a.txt", "d/b.bin", "d/e/c.csv", "dd/x"):
        put_bytes(made, key, key.encode())
    return made


def contents_of(store: ObjectStore) -> dict[str, bytes]:
    return {key: read_all(store, key) for key in listed_keys(store)}


def test_files_and_folders_get_their_names(store: ObjectStore) -> None:
    receipt = rename_objects(store, [("a.txt", "z.txt"), ("d/", "new/")])
    assert contents_of(store) == {
        "z.txt": b"a.txt",
        "new/b.bin": b"d/b.bin",
        "new/e/c.csv": b"d/e/c.csv",
        "dd/x": b"dd/x",
    }
    assert (receipt.renamed, receipt.objects, receipt.finding_count) == (2, 3, 0)
    assert receipt.sentence == "Renamed: 2 names; 3 objects, 21 B"
    assert list_names(store) == ["dd/", "new/", "z.txt"]


def test_below_a_base(store: ObjectStore) -> None:
    rename_objects(store, [("b.bin", "x"), ("e/", "f/")], base="d/")
    assert sorted(listed_keys(store)) == ["a.txt", "d/f/c.csv", "d/x", "dd/x"]


def test_names_are_exchanged(store: ObjectStore) -> None:
    receipt = rename_objects(store, [("d/", "dd/"), ("dd/", "d/")])
    assert contents_of(store) == {"a.txt": b"a.txt", "dd/b.bin": b"d/b.bin", "dd/e/c.csv": b"d/e/c.csv", "d/x": b"dd/x"}
    assert (receipt.renamed, receipt.asked, receipt.objects, receipt.finding_count) == (2, 2, 3, 0)


def test_a_name_that_is_taken_refuses_everything(store: ObjectStore) -> None:
    before = contents_of(store)
    for renames in ([("d/", "x/"), ("a.txt", "dd")], [("d/", "dd/")]):
        with pytest.raises(ConfigurationError) as caught:
            rename_objects(store, renames)
        assert caught.value.code == "rename-clash"
    with pytest.raises(InvalidName):
        rename_objects(store, [("d/", "x/"), ("a.txt", "..")])
    assert contents_of(store) == before


def test_what_is_protected_refuses_everything(store: ObjectStore) -> None:
    put_bytes(store, "dd/winds.1.0.0.zip", b"published")
    before = contents_of(store)
    with pytest.raises(StorageError, match="a published version is never renamed this way"):
        rename_objects(store, [("a.txt", "x"), ("dd/", "y/")])
    put_bytes(store, "d/.datasafe.json", b"{}")
    with pytest.raises(StorageError):
        rename_objects(store, [("b.bin", "x")], base="d/")
    assert {key: value for key, value in contents_of(store).items() if "safe" not in key} == before


class _ComesMeanwhile(WrappedStore):
    """Somebody puts the same content under the new name, right before it is given."""

    def put(self, key: str, chunks: Any, size: int | None = None, **options: Any) -> Any:
        if key == "new":
            put_bytes(self.inner, key, b"a.txt")
        return super().put(key, chunks, size, **options)

    def copy(self, source_key: str, target_key: str) -> Any:
        put_bytes(self.inner, target_key, b"a.txt")
        return super().copy(source_key, target_key)


def test_the_same_content_that_comes_meanwhile_is_another_object() -> None:
    store = MemoryStore()
    put_bytes(store, "a.txt", b"a.txt")
    journal = MemoryJournal()
    for each in (_ComesMeanwhile(store), store):  # tried again it is no more ours than before
        receipt = rename_objects(each, [("a.txt", "new")], journal=journal)
        assert contents_of(store) == {"a.txt": b"a.txt", "new": b"a.txt"}
        assert (receipt.renamed, receipt.finding_count) == (0, 1)
    assert receipt.sentence.startswith("Not everything was renamed: 0 of 1 name")


def test_what_is_not_there_is_a_finding(store: ObjectStore) -> None:
    receipt = rename_objects(store, [("absent", "x"), ("gone/", "y/"), ("a.txt", "b.txt")])
    assert (receipt.renamed, receipt.finding_count) == (1, 2)


@pytest.mark.parametrize("operation", ["put", "copy", "delete", "info", "list"])
@pytest.mark.parametrize("kind", [FaultKind.BEFORE, FaultKind.AFTER])
def test_an_exchange_that_breaks_off_goes_on(kind: FaultKind, operation: str) -> None:
    for call in range(1, 9):
        store = MemoryStore()
        for number in range(3):
            put_bytes(store, f"a/{number}", b"a%d" % number)
            put_bytes(store, f"b/{number}", b"b%d" % number)
        journal, renames = MemoryJournal(), [("a/", "b/"), ("b/", "a/")]
        try:
            rename_objects(FaultyStore(store, Fault(operation, kind, call=call)), renames, journal=journal)
        except ArchiveError as error:
            assert "injected" in str(error), error
        assert set(contents_of(store).values()) == {b"a0", b"a1", b"a2", b"b0", b"b1", b"b2"}
        rename_objects(store, renames, journal=journal)
        exchanged = {f"{new}/{n}": b"%s%d" % (old, n) for new, old in (("a", b"b"), ("b", b"a")) for n in range(3)}
        assert contents_of(store) == exchanged, (kind, operation, call)


def test_what_waits_for_a_name_that_stays_keeps_its_own(store: ObjectStore) -> None:
    put_bytes(store, "z", b"z")
    denied = Fault("delete", call=0, error=AccessDenied("retention"))

    class KeepsOne(WrappedStore):
        def delete(self, key: str) -> None:
            if key.endswith("dd/x"):
                raise denied.as_error()
            super().delete(key)

    memory, journal = MemoryStore(), MemoryJournal()
    for key, content in contents_of(store).items():
        put_bytes(memory, key, content)
    renames = [("d/", "dd/"), ("dd/", "d/"), ("z", "y")]
    receipt = rename_objects(KeepsOne(memory), renames, journal=journal)
    assert (receipt.renamed, receipt.finding_count > 0) == (1, True)
    assert set(contents_of(memory).values()) == {b"a.txt", b"d/b.bin", b"d/e/c.csv", b"dd/x", b"z"}
    receipt = rename_objects(memory, renames, journal=journal)
    assert (receipt.renamed, receipt.finding_count) == (3, 0)
    assert contents_of(memory) == {
        "a.txt": b"a.txt", "dd/b.bin": b"d/b.bin", "dd/e/c.csv": b"d/e/c.csv", "d/x": b"dd/x", "y": b"z",
    }  # fmt: skip


def test_a_stop_is_obeyed_between_two_steps(store: ObjectStore) -> None:
    stop, journal = threading.Event(), MemoryJournal()

    class Stops(WrappedStore):
        def delete(self, key: str) -> None:
            super().delete(key)
            stop.set()

    renames = [("a.txt", "b.txt"), ("z", "a.txt")]
    put_bytes(store, "z", b"z")
    with pytest.raises(OperationStopped):
        rename_objects(Stops(store), renames, stop=stop, journal=journal)
    receipt = rename_objects(store, renames, journal=journal)
    assert (read_all(store, "b.txt"), read_all(store, "a.txt")) == (b"a.txt", b"z")
    assert (receipt.renamed, receipt.finding_count) == (2, 0)
