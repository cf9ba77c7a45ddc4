import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import ManifestError
from archive_tui.integrity.inventory import Entry, Inventory, compare_inventories

A, B = "a" * 64, "b" * 64


def test_entries_are_sorted_and_found() -> None:
    inventory = Inventory([Entry("b", 2, B), Entry("a", None, A), Entry("a/c", 5, None)])
    assert [entry.path for entry in inventory] == ["a", "a/c", "b"]
    assert len(inventory) == 3
    assert "a/c" in inventory
    assert "c" not in inventory
    assert inventory["b"].size == 2
    assert inventory.get("x") is None
    assert inventory.total_bytes == 7
    assert dict(inventory.by_path) == {entry.path: entry for entry in inventory}


def test_a_path_stands_there_once() -> None:
    with pytest.raises(ManifestError) as caught:
        Inventory([Entry("a", 1, A), Entry("a", 1, A)])
    assert caught.value.code == "manifest-duplicate"


def test_equality_is_by_content() -> None:
    one = Inventory([Entry("a", 1, A), Entry("b", 1, B)])
    assert one == Inventory(reversed(list(one)))
    assert one != Inventory([Entry("a", 1, A)])
    assert one != "a"
    with pytest.raises(TypeError):
        hash(one)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ([], [], True),
        ([Entry("a", 1, A)], [Entry("a", None, A)], True),
        ([Entry("a", 1, A)], [Entry("a", 1, B)], False),
        ([Entry("a", 1, None)], [Entry("a", 1, None)], False),
        ([Entry("a", 1, A)], [Entry("b", 1, A)], False),
        ([Entry("a", 1, A)], [Entry("a", 1, A), Entry("b", 1, A)], False),
    ],
)
def test_same_content(one: list[Entry], two: list[Entry], same: bool) -> None:
    assert Inventory(one).same_content(Inventory(two)) is same
    assert Inventory(two).same_content(Inventory(one)) is same


def test_differences() -> None:
    old = Inventory(
        [
            Entry("gone", 1, A),
            Entry("same", 1, A),
            Entry("other", 1, A),
            Entry("longer", 1, None),
            Entry("who", 1, None),
        ]
    )
    new = Inventory(
        [Entry("new", 1, A), Entry("same", 9, A), Entry("other", 1, B), Entry("longer", 2, A), Entry("who", 1, A)]
    )
    difference = compare_inventories(old, new)
    assert difference.added == (Entry("new", 1, A),)
    assert difference.removed == (Entry("gone", 1, A),)
    assert difference.changed == (Entry("longer", 2, A), Entry("other", 1, B))
    assert difference.same == (Entry("same", 9, A),)
    assert difference.unknown == (Entry("who", 1, A),)
    assert not difference.is_empty


def test_unknown_sizes_prove_nothing() -> None:
    difference = compare_inventories(Inventory([Entry("a", None, None)]), Inventory([Entry("a", 1, A)]))
    assert difference.unknown == (Entry("a", 1, A),)
    assert not difference.is_empty


inventories = st.lists(
    st.builds(Entry, st.sampled_from("abcdef"), st.none() | st.integers(0, 2), st.none() | st.sampled_from([A, B])),
    unique_by=lambda entry: entry.path,
).map(Inventory)


@given(inventories, inventories)
def test_every_path_is_in_one_place(old: Inventory, new: Inventory) -> None:
    difference = compare_inventories(old, new)
    parts = (difference.added, difference.changed, difference.same, difference.unknown)
    assert sorted(entry.path for part in parts for entry in part) == [entry.path for entry in new]
    assert {entry.path for entry in difference.removed} == {entry.path for entry in old if entry.path not in new}


@given(inventories)
def test_nothing_differs_from_itself_but_the_unknown(inventory: Inventory) -> None:
    difference = compare_inventories(inventory, inventory)
    assert not (difference.added or difference.removed or difference.changed)
    assert difference.is_empty == all(entry.digest for entry in inventory)
