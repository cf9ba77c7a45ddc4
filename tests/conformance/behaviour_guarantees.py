"""Keys survive or are refused; progress, memory, threads and names of a store."""

from __future__ import annotations

import tracemalloc
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from archive_tui.errors import (
    InvalidName,
)
from archive_tui.integrity.streams import Chunk, read_chunks
from archive_tui.objects.object_store import ObjectStore, Support
from tests.conformance.store_samples import (
    ILLEGAL_KEYS,
    LEGAL_KEYS,
    MIB,
    TrackedChunk,
    in_chunks,
    listed_keys,
    make_content,
    put_bytes,
    read_all,
)
from tests.conformance.suite_settings import SuiteSettings


class BehaviourGuarantees(SuiteSettings):
    # ---- keys

    @pytest.mark.parametrize("key", LEGAL_KEYS)
    def test_legal_key_survives(self, store: ObjectStore, key: str) -> None:
        content = key.encode()
        if key in self.refused_keys:
            with pytest.raises(InvalidName):
                put_bytes(store, key, content)
            assert list(store.list()) == []
            return
        put_bytes(store, key, content)
        put_bytes(store, "other")
        assert read_all(store, key) == content
        assert store.info(key).key == key
        assert sorted(listed_keys(store)) == sorted([key, "other"])
        assert listed_keys(store, key) == [key]
        store.copy(key, f"c/{key}"[:100].rstrip("/"))
        store.delete(key)
        assert key not in listed_keys(store)

    def test_keys_that_look_alike_are_different(self, store: ObjectStore) -> None:
        alike = [
            "a b", "a+b", "a%20b", "A b",
            unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"),
        ]  # fmt: skip
        for key in alike:
            put_bytes(store, key, key.encode())
        assert {key: read_all(store, key) for key in alike} == {key: key.encode() for key in alike}
        assert sorted(listed_keys(store)) == sorted(alike)

    @pytest.mark.parametrize("key", ILLEGAL_KEYS)
    def test_illegal_key_is_refused_before_anything_is_sent(self, store: ObjectStore, key: str) -> None:
        def untouched() -> Iterator[Chunk]:
            pytest.fail("the source was read")
            yield b""

        put_bytes(store, "present")
        with pytest.raises(InvalidName):
            store.put(key, untouched(), 5)
        with pytest.raises(InvalidName):
            store.put(key, untouched(), 5, overwrite=True)
        with pytest.raises(InvalidName):
            store.copy("present", key)
        assert listed_keys(store) == ["present"]

    # ---- behaviour as a whole

    def test_sent_is_absolute_and_monotone(self, store: ObjectStore) -> None:
        for size in (0, 5, self.large_size + 5):
            counts: list[int] = []
            content = make_content(size)
            store.put(f"sent/{size}", in_chunks(content), size, sent=counts.append)
            assert counts == sorted(counts)
            assert counts[-1] == size if size else set(counts) <= {0}
            assert size <= MIB or len(counts) > 1

    def test_memory_does_not_grow_with_the_object(self, store: ObjectStore) -> None:
        TrackedChunk.alive = TrackedChunk.most_alive = 0
        block = make_content(MIB)
        count = self.memory_size // MIB

        def tracked() -> Iterator[Chunk]:
            for _ in range(count):
                yield TrackedChunk(block)

        tracemalloc.start()
        try:
            store.put("big", tracked(), count * MIB)
            with store.open("big") as reader:
                length = sum(len(chunk) for chunk in read_chunks(reader))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert length == count * MIB
        if self.measures_memory:
            assert peak < self.memory_limit
        assert TrackedChunk.most_alive * MIB <= self.memory_limit

    def test_threads_may_use_one_store(self, store: ObjectStore) -> None:
        def use(number: int) -> bytes:
            content = make_content(50_000, number)
            put_bytes(store, f"threads/{number}/x", content)
            assert store.info(f"threads/{number}/x").size == 50_000
            assert listed_keys(store, f"threads/{number}/") == [f"threads/{number}/x"]
            assert read_all(store, f"threads/{number}/x") == content
            return content

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(use, range(16)))) == 16

    def test_probe_settles_what_was_unknown_and_leaves_nothing(self, store: ObjectStore) -> None:
        traits = store.probe()
        assert traits.create_only is not Support.UNKNOWN
        assert traits.conditional_replace is not Support.UNKNOWN
        assert traits == store.traits == store.probe()
        assert list(store.list()) == []

    def test_label_and_identity_name_the_place_without_secrets(self, store: ObjectStore) -> None:
        assert store.label
        assert "://" in store.identity
        assert not store.identity.endswith("/") or store.identity.endswith("://")
        for secret in self.secrets:
            assert secret not in store.label + store.identity + repr(store)
