from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.datasets.catalog import (
    compare_versions,
    find_version,
    list_datasets,
    list_versions,
    read_version_manifest,
)
from archive_tui.errors import ObjectNotFound
from archive_tui.objects.memory import MemoryStore
from tests.archives.conftest import Publisher


def put(store: MemoryStore, *keys: str) -> None:
    for key in keys:
        store.put(key, [], 0)


def test_datasets_are_grouped_and_sorted_by_number(store: MemoryStore) -> None:
    put(store, "b.0.0.10.zip", "b.0.0.9.zip", "b.0.0.9.manifest.json", "a/c.1.0.0.zip", "x.txt", "b.zip", "b.1.zip")
    found = list_datasets(store)
    assert [summary.name for summary in found] == ["a/c", "b"]
    assert [version.version for version in found[1].versions] == ["0.0.10", "0.0.9"]
    assert [version.manifest_key for version in found[1].versions] == [None, "b.0.0.9.manifest.json"]
    assert [summary.name for summary in list_datasets(store, "a/")] == ["a/c"]


def test_the_vault_is_not_searched(store: MemoryStore) -> None:
    put(store, "object/a.0.0.1.zip", "objects/b.0.0.1.zip")
    assert [summary.name for summary in list_datasets(store)] == ["objects/b"]


def test_a_name_is_not_the_beginning_of_another(store: MemoryStore) -> None:
    put(store, "d.0.0.1.zip", "d.txt.0.0.2.zip", "dd.0.0.3.zip", "d.1.2.0.0.4.zip")
    assert [version.version for version in list_versions(store, "d")] == ["0.0.1"]


def test_absurd_numbers_are_objects_like_any_other(store: MemoryStore) -> None:
    put(store, f"d.{'9' * 200}.0.0.zip", "d.0.0.1.zip")
    assert [version.version for version in list_versions(store, "d")] == ["0.0.1"]


def test_finding_nothing_says_what_there_is(store: MemoryStore) -> None:
    with pytest.raises(ObjectNotFound, match="No dataset"):
        find_version(store, "d")


def test_the_inner_manifest_serves_where_none_lies_beside(store: MemoryStore, publish_source: Publisher) -> None:
    publish_source()
    with_manifest = read_version_manifest(store, find_version(store, "station"))
    store.delete("station.0.0.1.manifest.json")
    inner = read_version_manifest(store, find_version(store, "station"))
    assert inner.inventory == with_manifest.inventory
    store.put("station.0.0.1.manifest.json", [b"{"], 1)
    assert read_version_manifest(store, find_version(store, "station")).inventory == inner.inventory


def test_versions_are_compared_by_digest(store: MemoryStore, publish_source: Publisher, source: Path) -> None:
    publish_source()
    (source / "notes.md").write_text("# station 8\n")
    (source / "raw/empty").unlink()
    (source / "new").write_text("x")
    publish_source()
    difference = compare_versions(store, "station", "0.0.1", "latest")
    assert [entry.path for entry in difference.added] == ["new"]
    assert [entry.path for entry in difference.removed] == ["raw/empty"]
    assert [entry.path for entry in difference.changed] == ["notes.md"]
    assert [entry.path for entry in difference.same] == ["raw/a.csv"]
