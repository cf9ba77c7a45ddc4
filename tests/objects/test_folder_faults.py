"""A put into a folder whose system calls fail, or during which the process is killed, at every step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.names.object_keys import TEMPORARY_PREFIX
from archive_tui.objects.folder.store import FolderStore
from tests.conformance.object_store_suite import listed_keys, read_all
from tests.objects.fault_driver import CONTENT
from tests.objects.traced_put import TracedPut

KEY = "sub/folder/object.bin"

STEPS = (
    "mkdirat", "openat", "flock", "write", "fsync", "pread64", "fchmod", "linkat", "unlinkat", "renameat", "renameat2",
    "rename", "close", "getdents64", "newfstatat",
)  # fmt: skip
"""System calls of a put; those that a machine or a way of writing does not use are counted as absent."""

FAILING = ("mkdirat", "openat", "write", "fsync", "fchmod", "linkat", "pread64")

ERRORS = {
    "ENOSPC": "StorageFull",
    "EDQUOT": "StorageFull",
    "EIO": "StorageError",
    "EROFS": "AccessDenied",
    "EMFILE": "StorageError",
}


@pytest.fixture(scope="module")
def traced_put(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TracedPut]:
    with TracedPut(tmp_path_factory.mktemp("traces")) as traced:
        yield traced


@pytest.fixture
def fresh_roots(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / f"root-{number}" for number in itertools.count())


def leftovers(root: Path) -> list[str]:
    return [path.name for path in root.rglob(f"{TEMPORARY_PREFIX}*")]


def test_every_failing_call_leaves_nothing_and_is_named(traced_put: TracedPut, fresh_roots: Iterator[Path]) -> None:
    assert traced_put.run(root=str(next(fresh_roots)), key=KEY) == "put"
    counts = traced_put.count_calls()
    assert counts["write"] == 3
    assert min(counts[name] for name in ("openat", "fsync", "linkat", "mkdirat", "pread64")) > 0
    for name in FAILING:
        for number in range(1, counts[name] + 1):
            code = list(ERRORS)[number % len(ERRORS)]
            root = next(fresh_roots)
            where = f"{name} {number} {code}"
            outcome = traced_put.run(f"{name}:error={code}:when={number}", root=str(root), key=KEY)
            assert outcome in (ERRORS[code], "put"), where
            assert leftovers(root) == [], where
            store = FolderStore(root)
            assert listed_keys(store) == ([KEY] if outcome == "put" else []), where
            if outcome != "put":
                assert traced_put.run(root=str(root), key=KEY) == "put", where
            assert read_all(store, KEY) == CONTENT, where


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize(("call", "number"), [("write", 2), ("fsync", 1), ("fsync", 2), ("linkat", 1)])
def test_error_of_the_system_has_its_own_class(
    traced_put: TracedPut, fresh_roots: Iterator[Path], code: str, call: str, number: int
) -> None:
    root = next(fresh_roots)
    (root / "sub" / "folder").mkdir(parents=True)
    assert traced_put.run(f"{call}:error={code}:when={number}", root=str(root), key=KEY) == ERRORS[code]
    assert listed_keys(FolderStore(root)) == []
    assert leftovers(root) == []


def test_failed_fsync_is_never_tried_again(traced_put: TracedPut, fresh_roots: Iterator[Path]) -> None:
    root = next(fresh_roots)
    (root / "sub" / "folder").mkdir(parents=True)
    assert traced_put.run("fsync:error=EIO:when=1", root=str(root), key=KEY) == "StorageError"
    assert sum("fsync(" in call for call in traced_put.calls) == 1
    assert not any(" linkat(" in call for call in traced_put.calls)


@pytest.mark.parametrize("code", ["ENOSPC", "EIO"])
def test_failed_overwrite_keeps_the_old(traced_put: TracedPut, fresh_roots: Iterator[Path], code: str) -> None:
    root = next(fresh_roots)
    store = FolderStore(root)
    store.put(KEY, [b"old"])
    for call in ("write", "fsync", "rename", "renameat", "renameat2"):
        outcome = traced_put.run(f"{call}:error={code}:when=1", root=str(root), key=KEY, overwrite=True)
        if outcome == "put":
            assert call.startswith("rename")
            store.put(KEY, [b"old"], overwrite=True)
            continue
        assert outcome == ERRORS[code]
        assert read_all(store, KEY) == b"old"
        assert leftovers(root) == []


@pytest.mark.parametrize("way", ["create", "overwrite", "no hard links"])
def test_killed_at_every_step_and_repeated(traced_put: TracedPut, fresh_roots: Iterator[Path], way: str) -> None:
    def prepare() -> Path:
        root = next(fresh_roots)
        if way == "overwrite":
            FolderStore(root).put(KEY, [b"old"])
        return root

    command = {"key": KEY, "overwrite": way == "overwrite", "hard_links": way != "no hard links"}
    assert traced_put.run(root=str(prepare()), **command) == "put"
    counts = traced_put.count_calls()
    killed = 0
    for step, number in [(name, number) for name in STEPS for number in range(1, counts[name] + 1)]:
        root, where = prepare(), f"killed at {step} {number}"
        killed += traced_put.run(f"{step}:signal=KILL:when={number}", root=str(root), **command) == "killed"
        store = FolderStore(root)
        before = b"old" if way == "overwrite" else None
        seen = read_all(store, KEY) if listed_keys(store) else None
        assert seen in (before, CONTENT), where
        outcome = traced_put.run(root=str(root), **command)
        assert outcome == "put" or (outcome == "ObjectExists" and seen == CONTENT), where
        assert read_all(store, KEY) == CONTENT, where
        assert leftovers(root) == [], where
    assert killed > 20
