"""One published version is deleted on purpose: what refers to it is told, and nothing else is touched."""

from __future__ import annotations

import pytest

from archive_tui.archives.datasets.removing import plan_removal, remove_version
from archive_tui.errors import InvalidName, ObjectNotFound, StorageError, StorageUnavailable
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultyStore
from tests.conformance.store_samples import listed_keys, put_bytes


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    for key in ("winds.1.0.0.zip", "winds.1.0.0.manifest.json", "winds.1.10.0.zip", "winds.1.9.0.zip", "w.1.0.0.zip"):
        put_bytes(made, key, key.encode())
    return made


def test_what_refers_to_it_is_told(store: MemoryStore) -> None:
    removal = plan_removal(store, "winds", "1.0.0")
    assert (removal.others, removal.is_latest) == (("1.9.0", "1.10.0"), False)
    assert "winds.1.0.0.manifest.json" in removal.references[0]
    latest = plan_removal(store, "winds", "1.10.0")
    assert latest.is_latest
    assert any("`latest` gets version 1.9.0 afterwards" in each for each in latest.references)
    assert any("nothing at all" in each for each in plan_removal(store, "w", "1.0.0").references)


def test_archive_and_manifest_go_and_nothing_else(store: MemoryStore) -> None:
    remove_version(store, plan_removal(store, "winds", "1.0.0"))
    assert listed_keys(store) == ["w.1.0.0.zip", "winds.1.10.0.zip", "winds.1.9.0.zip"]


def test_one_that_broke_off_is_completed_by_the_same_again(store: MemoryStore) -> None:
    with pytest.raises(StorageUnavailable):
        remove_version(FaultyStore(store, Fault("delete", call=2)), plan_removal(store, "winds", "1.0.0"))
    assert "winds.1.0.0.manifest.json" in listed_keys(store)
    removal = plan_removal(store, "winds", "1.0.0")
    assert removal.archive is None
    remove_version(store, removal)
    assert len(listed_keys(store)) == 3
    remove_version(store, removal)


def test_what_has_changed_since_it_was_shown_stays(store: MemoryStore) -> None:
    removal = plan_removal(store, "winds", "1.0.0")
    store.put("winds.1.0.0.zip", [b"another"], overwrite=True)
    with pytest.raises(StorageError) as caught:
        remove_version(store, removal)
    assert caught.value.code == "delete-changed"
    assert len(listed_keys(store)) == 5


@pytest.mark.parametrize("version", ["latest", "1", "", "1.0", "*"])
def test_only_a_full_number_is_taken(version: str, store: MemoryStore) -> None:
    with pytest.raises(InvalidName):
        plan_removal(store, "winds", version)


@pytest.mark.parametrize(("name", "version"), [("winds", "2.0.0"), ("wind", "1.0.0"), ("absent", "1.0.0")])
def test_what_is_not_there_is_said(name: str, version: str, store: MemoryStore) -> None:
    with pytest.raises(ObjectNotFound) as caught:
        plan_removal(store, name, version)
    assert caught.value.code == "version-not-found"
