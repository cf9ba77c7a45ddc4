"""Listings for panes: batches, order, filter, stop, memory."""

from __future__ import annotations

import random
import threading
import tracemalloc
from collections.abc import Iterator

import pytest

from archive_tui.errors import OperationStopped, StorageUnavailable
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import Listed, ObjectInfo, Prefix
from archive_tui.operations.listing import (
    FIRST_BATCH,
    RUN_LENGTH,
    ArrangedRows,
    Arrangement,
    EntryTable,
    SortBy,
    arrange_entries,
    has_changed_since,
    load_entries,
    sort_in_runs,
)


class ScriptedStore(MemoryStore):
    """Lists what it is told, an exception where one stands in the script."""

    def __init__(self, script: list[Listed | Exception]) -> None:
        super().__init__()
        self.script = script
        self.given = 0

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        assert not recursive
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            self.given += 1
            yield step


def files(count: int, size: int = 1) -> list[Listed | Exception]:
    return [ObjectInfo(f"d/{number:07d}.dat", size, 1000.0 + number) for number in range(count)]


def names_in_order(table: EntryTable, rows: ArrangedRows) -> list[str]:
    return [table.names[index] for index in rows.order]


def test_the_first_rows_come_with_the_first_page() -> None:
    store, table = ScriptedStore(files(5000)), EntryTable()

    first = next(load_entries(store, "d/", table))

    assert first == FIRST_BATCH == store.given
    assert table.names[0] == "0000000.dat"
    assert not table.is_complete


def test_the_last_batch_says_that_it_is_complete() -> None:
    table = EntryTable()

    counts = list(load_entries(ScriptedStore(files(1234, size=10)), "d/", table))

    assert counts[-1] == 1234 == len(table)
    assert table.is_complete
    assert table.total_bytes == 12340


def test_an_empty_listing_is_complete_and_not_still_loading() -> None:
    table = EntryTable()

    assert list(load_entries(ScriptedStore([]), "d/", table)) == [0]
    assert table.is_complete


def test_a_stop_ends_the_listing_at_the_next_entry() -> None:
    store, table, stop = ScriptedStore(files(5000)), EntryTable(), threading.Event()
    batches = load_entries(store, "d/", table, stop=stop)
    next(batches)

    stop.set()

    with pytest.raises(OperationStopped):
        next(batches)
    assert store.given == FIRST_BATCH + 1
    assert not table.is_complete


def test_what_was_loaded_before_a_failure_stays() -> None:
    table = EntryTable()
    store = ScriptedStore([*files(10), StorageUnavailable("gone")])

    with pytest.raises(StorageUnavailable):
        list(load_entries(store, "d/", table))

    assert len(table) == 10
    assert not table.is_complete


def test_folders_come_first_and_hidden_entries_are_counted() -> None:
    table = EntryTable()
    script: list[Listed | Exception] = [ObjectInfo("d/b", 2), ObjectInfo("d/.a", 1), Prefix("d/z/"), Prefix("d/c/")]
    list(load_entries(ScriptedStore(script), "d/", table))

    rows = arrange_entries(table, Arrangement())

    assert names_in_order(table, rows) == ["c/", "z/", "b"]
    assert (rows.hidden, rows.total_bytes, rows.covered) == (1, 2, 4)
    assert names_in_order(table, arrange_entries(table, Arrangement(shows_hidden=True)))[2:] == [".a", "b"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("raw", ["RAW.txt", "a.raw"]),
        ("*.raw", ["a.raw"]),
        ("?.raw", ["a.raw"]),
        ("nothing", []),
        ("", ["RAW.txt", "a.raw", "b"]),
    ],
)
def test_a_pattern_is_a_part_of_the_name_or_a_glob(pattern: str, expected: list[str]) -> None:
    table = EntryTable()
    for name in ("a.raw", "b", "RAW.txt"):
        table.append(name, 1, None)

    assert names_in_order(table, arrange_entries(table, Arrangement(pattern=pattern))) == expected


def test_sorting_by_size_and_time_puts_the_largest_and_newest_first() -> None:
    table = EntryTable()
    for name, size, modified in (("a", 1, 30.0), ("b", 3, 10.0), ("c", 2, 20.0), ("d", 2, None)):
        table.append(name, size, modified)

    def order(sort_by: SortBy, *, is_reversed: bool = False) -> str:
        return "".join(names_in_order(table, arrange_entries(table, Arrangement(sort_by, is_reversed))))

    assert order(SortBy.SIZE) == "bcda"
    assert order(SortBy.MODIFIED) == "acbd"
    assert order(SortBy.NAME, is_reversed=True) == "dcba"


@pytest.mark.parametrize("count", [0, 1, RUN_LENGTH, RUN_LENGTH + 1, 50_000])
def test_sorting_in_runs_equals_sorting(count: int) -> None:
    numbers = random.Random(count)
    values = [numbers.randrange(1 + count // 3) for _ in range(count)]

    ordered = sort_in_runs(list(range(count)), values.__getitem__)

    assert ordered == sorted(range(count), key=values.__getitem__)


def test_sorting_in_runs_stops_between_runs() -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(OperationStopped):
        sort_in_runs(list(range(100_000)), lambda index: -index, stop=stop)


def test_evidence_of_another_object_is_stale() -> None:
    def proof(key: str, size: int, version: str | None) -> Evidence:
        return Evidence("memory://", key, EvidenceLevel.READ, "ab" * 32, size, 0.0, "read", version)

    known = {
        proof.key: proof for proof in (proof("d/same", 5, "1"), proof("d/longer", 4, "1"), proof("d/newer", 5, "0"))
    }
    table = EntryTable()
    script: list[Listed | Exception] = [
        ObjectInfo(f"d/{name}", 5, None, "1") for name in ("same", "longer", "newer", "new")
    ]

    list(load_entries(ScriptedStore(script), "d/", table, evidence=known))

    assert sorted(table.evidence) == [0, 1, 2]
    assert table.stale == {1, 2}


@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_entries_take_few_bytes_each_beyond_their_names(count: int) -> None:
    names = [f"measurement-{number:07d}.csv" for number in range(count)]
    random.Random(7).shuffle(names)
    table = EntryTable()
    tracemalloc.start()
    try:
        for name in names:
            table.append(name, 1000, 1.5e9)
        columns, _ = tracemalloc.get_traced_memory()
        rows = arrange_entries(table, Arrangement())
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert columns / count < 40
    assert after / count < 60
    assert names_in_order(table, rows)[:2] == ["measurement-0000000.csv", "measurement-0000001.csv"]


def test_a_size_that_the_store_does_not_tell_is_no_folder_and_in_no_sum() -> None:
    table = EntryTable()
    for name, size in (("known", 5), ("not-told", -1), ("folder/", None)):
        table.append(name, size, None)
    everything, filtered = arrange_entries(table, Arrangement()), arrange_entries(table, Arrangement(pattern="n"))

    assert [table.is_folder(index) for index in range(3)] == [False, False, True]
    assert [table.size(index) for index in range(3)] == [5, None, None]
    assert (everything.total_bytes, everything.unknown_sizes) == (5, 1)
    assert (filtered.total_bytes, filtered.unknown_sizes) == (5, 1)


def test_evidence_is_not_stale_because_a_size_is_not_told() -> None:
    evidence = Evidence("s", "k", EvidenceLevel.READ, None, 5, 0.0, "read")

    assert not has_changed_since(evidence, ObjectInfo("k", -1))
    assert has_changed_since(evidence, ObjectInfo("k", 6))
