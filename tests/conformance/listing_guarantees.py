"""A listing is complete, lazy, and takes its prefix for a plain string."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Prefix
from tests.conformance.store_samples import (
    listed_keys,
    put_bytes,
)
from tests.conformance.suite_settings import SuiteSettings


class ListingGuarantees(SuiteSettings):
    def test_listing_is_complete_beyond_a_page(self, store: ObjectStore) -> None:
        sizes = {f"many/{number:06d}.dat": number % 3 for number in range(self.many_keys)}
        sizes |= {"many/deeper/below.dat": 0, "many/deeper/still/more.dat": 1}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda pair: put_bytes(store, pair[0], bytes(pair[1])), sizes.items()))
        listed = list(store.list("many/"))
        assert {entry.key: entry.size for entry in listed if isinstance(entry, ObjectInfo)} == sizes
        assert len(listed) == len(sizes)
        flat = [entry.key for entry in store.list("many/", recursive=False)]
        assert len(flat) == len(set(flat)) == self.many_keys + 1
        assert "many/deeper/" in flat
        assert len(listed_keys(store, "many/0000")) == min(100, self.many_keys)

    def test_listing_is_lazy(self, store: ObjectStore) -> None:
        for key in ("a", "b", "c"):
            put_bytes(store, key)
        listing = store.list()
        assert iter(listing) is listing
        assert next(listing).key in "abc"

    def test_empty_store_lists_nothing(self, store: ObjectStore) -> None:
        for prefix in ("", "absent", "absent/", "/", "../", "./", "a//"):
            assert list(store.list(prefix)) == []
            assert list(store.list(prefix, recursive=False)) == []

    def test_prefix_is_a_plain_string(self, store: ObjectStore) -> None:
        keys = ["d/x", "d/y/z", "dd/x", "data", "e/d/x", "D/x"]
        for key in keys:
            put_bytes(store, key)
        assert sorted(listed_keys(store, "d/")) == ["d/x", "d/y/z"]
        assert sorted(listed_keys(store, "d")) == ["d/x", "d/y/z", "data", "dd/x"]
        assert listed_keys(store, "d/y/") == ["d/y/z"]
        assert listed_keys(store, "d/y/z") == ["d/y/z"]
        assert listed_keys(store, "d/y/z/") == []
        assert listed_keys(store, "data/") == []
        assert sorted(listed_keys(store)) == sorted(keys)

    def test_prefix_holds_no_pattern(self, store: ObjectStore) -> None:
        for key in ("a*b/x", "aab/x", "a?b", "[a]"):
            put_bytes(store, key)
        assert listed_keys(store, "a*") == ["a*b/x"]
        assert listed_keys(store, "a?") == ["a?b"]
        assert listed_keys(store, "[a") == ["[a]"]

    def test_listing_without_recursion_shows_each_prefix_once(self, store: ObjectStore) -> None:
        for key in ("d/x", "d/y/z", "d/y/q", "dd/x", "data", "d.txt"):
            put_bytes(store, key)

        def shown(prefix: str) -> list[tuple[str, bool]]:
            entries = store.list(prefix, recursive=False)
            return sorted((entry.key, isinstance(entry, Prefix)) for entry in entries)

        assert shown("") == [("d.txt", False), ("d/", True), ("data", False), ("dd/", True)]
        assert shown("d") == [("d.txt", False), ("d/", True), ("data", False), ("dd/", True)]
        assert shown("d/") == [("d/x", False), ("d/y/", True)]
        assert shown("d/y") == [("d/y/", True)]
        assert shown("d/y/") == [("d/y/q", False), ("d/y/z", False)]
        assert shown("d/x") == [("d/x", False)]
        assert shown("d/x/") == []

    def test_listing_shows_objects_of_zero_bytes(self, store: ObjectStore) -> None:
        put_bytes(store, "folder/empty", b"")
        entries = [*store.list(), *store.list("folder/", recursive=False)]
        assert [(entry.key, entry.size) for entry in entries if isinstance(entry, ObjectInfo)] == [
            ("folder/empty", 0),
            ("folder/empty", 0),
        ]
